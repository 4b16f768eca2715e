"""`cntnr compose up`: create and start containers, and print their output."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--abort-on-container-exit", help="Stop all when one container ends.")
@flag("--abort-on-container-failure", help="Stop all when one container fails.")
@flag("--always-recreate-deps", help="Recreate dependencies too.")
@option("--attach", multiple=True, metavar="SERVICE", help="Show the output of these only.")
@flag("--attach-dependencies", help="Show the output of dependencies too.")
@flag("--build", help="Build images first.")
@flag("-d", "--detach", help="Run in the background: end when containers are started.")
@option(
    "--exit-code-from",
    default="",
    metavar="SERVICE",
    help="End with the exit code of this service; stops all when one ends.",
)
@flag("--force-recreate", help="Recreate containers that did not change, too.")
@option("--no-attach", multiple=True, metavar="SERVICE", help="Do not show the output of these.")
@flag("--no-build", help="Build nothing, even where an image is missing.")
@flag("--no-color", help="Print without colours.")
@flag("--no-deps", help="Leave out the services that these depend on.")
@flag("--no-log-prefix", help="Do not print names of containers before lines.")
@flag("--no-recreate", help="Leave containers that exist as they are.")
@flag("--no-start", help="Create, but do not start.")
@option(
    "--pull",
    default="policy",
    metavar="POLICY",
    values=("always", "missing", "never"),
    help="always, missing or never.",
)
@flag("--quiet-build", help="Do not show the output of builds.")
@flag("--quiet-pull", help="Do not show the progress of pulls.")
@flag("--remove-orphans", help="Remove containers of services that the file has not.")
@flag("-V", "--renew-anon-volumes", help="New anonymous volumes instead of the old ones.")
@option("--scale", multiple=True, metavar="SERVICE=NUM", help="Number of containers of a service.")
@timeout
@flag("--timestamps", help="Print the time of each line.")
@flag("--wait", help="Wait until services run or are healthy; does not stay.")
@option("--wait-timeout", kind=int, metavar="SECONDS", help="Longest time to wait.")
@flag("-y", "--yes", help="Yes to every question: also recreate changed volumes.")
@flag("-w", "--watch", help="Watch files, and bring their changes into containers.")
@flag("--menu", default=None, help="Show keys for what can be done meanwhile.")
def up(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> int:
    """Bring services up: build or pull images, create containers, start them, print their output.

    Without SERVICE, all services. Containers whose configuration or image changed are made anew, others are
    left alone. Ctrl-C stops them; with `-d` the command ends when they are started.

        cntnr compose up -d
        cntnr compose up --build web
        cntnr compose up -d --wait --scale web=3
    """
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    return bring_up(options, "up", UpArguments(services=services, **values))
