"""`cntnr compose bridge`: Docker's converters of compose files, which are refused."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


class BridgeUnsupported(CntnrError):
    """`bridge` needs images of Docker's, which its daemon runs."""

    hint = "`cntnr compose config` prints the resolved file, which other converters read"

    def __init__(self) -> None:
        super().__init__("cannot use transformations: they are images that docker's daemon runs")


@command()
@option("-o", "--output", default="out", metavar="DIRECTORY", help="Where results are written.")
@option("--templates", default="", metavar="DIRECTORY", help="Templates of the transformation.")
@option("-t", "--transformation", multiple=True, metavar="IMAGE", help="Transformation to run.")
def convert(_options: "ProjectOptions", **_values: Any) -> None:
    """Convert compose files to Kubernetes manifests and others, by transformations: not without docker."""
    raise BridgeUnsupported


@command("PATH", name="create")
@argument("path", metavar="PATH")
@option("-f", "--from", "source", default="", metavar="IMAGE", help="Transformation to copy.")
def create_transformation(_options: "ProjectOptions", **_values: Any) -> None:
    """Create a transformation: not without docker."""
    raise BridgeUnsupported


@command(name="list")
@option(
    "--format",
    "form",
    default="table",
    metavar="FORMAT",
    values=("table", "json"),
    help="table or json.",
)
@flag("-q", "--quiet", help="Print only names.")
def list_transformations(_options: "ProjectOptions", **_values: Any) -> None:
    """List transformations: not without docker."""
    raise BridgeUnsupported
