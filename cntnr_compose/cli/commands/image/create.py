"""`cntnr image create`: build an image by steps that are options, in their order."""

from typing import Any

from cntnr_compose.cli.commands.image.build import build_steps, split_values
from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.cli.parser.step_options import network_option, output_option, step_options
from cntnr_compose.core.errors import CntnrError


class StepsNeeded(CntnrError):
    """No step is given."""

    hint = "such as --from busybox --run 'echo hello >/greeting' --tag me/greeting"

    def __init__(self) -> None:
        super().__init__("cannot create an image without steps")


@command("[DIRECTORY]", of_project=False)
@argument("context", required=False, metavar="DIRECTORY")
@step_options(dockerfile=("-f", "--dockerfile"))
@option("--build-arg", multiple=True, metavar="NAME=VALUE", help="Argument of the Dockerfile.")
@option("--target", default="", metavar="STAGE", help="Stage of the Dockerfile.")
@option("--label", multiple=True, metavar="NAME=VALUE", help="Set a label of the image.")
@option("-t", "--tag", multiple=True, metavar="NAME", help="Name of the image.")
@option("--add-host", multiple=True, metavar="HOST:ADDRESS", help="Add a name to /etc/hosts.")
@option("--iidfile", default="", metavar="FILE", help="Write the id of the image to a file.")
@option("--metadata-file", default="", metavar="FILE", help="Write about the result to a file.")
@network_option("--run")
@flag("--no-cache", help="Use nothing of earlier builds.")
@output_option()
@option(
    "--progress",
    default="",
    metavar="MODE",
    values=("auto", "plain", "tty", "quiet", "rawjson"),
    help="Progress: auto, plain, tty, quiet or rawjson.",
)
@flag("--proot", help="Run --run under PRoot, which fakes users and owners.")
@flag("--pull", help="Always ask for newer base images.")
@flag("--push", help="Push the image when it is built.")
@flag("-q", "--quiet", help="Show no progress.")
@flag("--shell-on-failure", help="Open a shell where --run fails, in the state before it.")
@flag("--force-rm", "--rm", "_without_effect")
def create(context: str | None, steps: tuple[tuple[str, str], ...], **values: Any) -> int:
    """Build an image by steps in the order of the command line, and print its id.

    Each step is cached: what did not change is not run again. Files are those of DIRECTORY, else of the
    current one. Names and labels are of the finished image, wherever they stand.

        cntnr image create --from debian:12 --run 'apt-get update && apt-get install -y curl' \\
          --entrypoint curl --tag me/curl
    """
    arguments, results = split_values(values)
    arguments.check()
    if not steps:
        raise StepsNeeded
    return build_steps(steps, context or ".", arguments, results)
