"""`cntnr bundle create`: write an OCI bundle that stays, and that any OCI runtime can run."""

from typing import Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.container_options.rows import BUNDLE_OPTIONS, container_options
from cntnr_compose.cli.parser.options import argument, command


@command("IMAGE|DIR [COMMAND] [ARG...]", interspersed=False, of_project=False)
@container_options(*BUNDLE_OPTIONS)
@argument("image", metavar="IMAGE|DIR")
@argument("command", many=True, required=False)
def create(**flags: Any) -> None:
    """Create a bundle, and print its name.

    It is a plain OCI bundle: `runc run` and `crun run` start it, and its hook connects it to networks, which
    are CNI lists by name. DIR is a folder with a root file system in `rootfs` that others made. What begins
    with / ./ ../ or ~ is a folder; other bundles are kept by their names.

        cntnr bundle create -b web --update -p 8080:80 nginx
        cntnr bundle create -b ./box busybox sh
        runc run -b ./box box
    """
    from cntnr_compose.cli.flows.bundles.creation import create as create_bundle

    stdout.print_line(create_bundle(flags))
