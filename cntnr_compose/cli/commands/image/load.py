"""`cntnr image load` and `cntnr load`: load images from a tar archive."""

from cntnr_compose.cli.parser.options import command, flag, option


@command(of_project=False)
@option("-i", "--input", "path", metavar="FILE", help="Read a file, instead of standard input.")
@option("--platform", default="", metavar="PLATFORM", help="Platform, where an image has several.")
@flag("-q", "--quiet", help="Print nothing but the names.")
def load(*, path: str | None, platform: str, quiet: bool) -> None:
    """Load images from an archive of `docker save`, `cntnr save`, or an OCI layout in a tar archive.

    It may be compressed by gzip, zstd, bzip2 or xz.
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows.stored_images.saved_images import load_images

    for line in load_images(path or "", platform, quiet=quiet):
        stdout.print_line(line)
