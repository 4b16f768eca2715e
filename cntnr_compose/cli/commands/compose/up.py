"""`cntnr compose up`: what the files say becomes so, and their output is shown."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services, timeout, unsupported

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--abort-on-container-exit", text="Stop all when one container ends.")
@flag("--abort-on-container-failure", text="Stop all when one container fails.")
@flag("--always-recreate-deps", text="Recreate dependencies too.")
@option("--attach", multiple=True, metavar="SERVICE", help="Show the output of these only.")
@flag("--attach-dependencies", text="Show the output of dependencies too.")
@flag("--build", text="Build images first.")
@flag("-d", "--detach", text="Do not stay and show output.")
@option("--exit-code-from", default="", metavar="SERVICE", help="End with its exit code.")
@flag("--force-recreate", text="Recreate containers that did not change, too.")
@option("--no-attach", multiple=True, metavar="SERVICE", help="Not the output of these.")
@flag("--no-build", text="Build nothing, even where an image is missing.")
@flag("--no-color", text="No colours.")
@flag("--no-deps", text="Without the services that these depend on.")
@flag("--no-log-prefix", text="No names in front of output.")
@flag("--no-recreate", text="Leave containers that exist as they are.")
@flag("--no-start", text="Create, but do not start.")
@option("--pull", default="policy", metavar="POLICY", help="always, missing or never.")
@flag("--quiet-build", text="Do not show the output of builds.")
@flag("--quiet-pull", text="Do not show the progress of pulls.")
@flag("--remove-orphans", text="Remove containers of services that the file has not.")
@flag("-V", "--renew-anon-volumes", text="New anonymous volumes instead of the old ones.")
@option("--scale", multiple=True, metavar="SERVICE=NUM", help="So many containers.")
@timeout
@flag("--timestamps", text="Output with times.")
@flag("--wait", text="Wait until services run or are healthy; does not stay.")
@option("--wait-timeout", kind=int, metavar="SECONDS", help="Longest time to wait.")
@flag("-y", "--yes", text="Yes to every question: also recreate changed volumes.")
@unsupported("-w", "--watch")
@unsupported("--menu")
def up(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> int:
    """Create and start containers."""
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    return bring_up(scope, "up", UpArguments(services=services, **given))
