"""`cntnr compose bridge`: convert compose files by transformations, which are images."""

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.core.events import Emit
    from cntnr_compose.model.image import Image

DEFAULT_IMAGE = "docker/compose-bridge-kubernetes"
LABEL, LABEL_VALUE = "com.docker.compose.bridge", "transformation"
HEADER = ("IMAGE ID", "REPO", "TAGS", "SIZE")
DOCKERFILE = f"""\
FROM docker/compose-bridge-transformer
LABEL {LABEL}={LABEL_VALUE}
COPY templates /templates
"""


class FolderExists(CntnrError):
    """The folder of a new transformation is there already."""

    hint = "name another one"

    def __init__(self, path: Path) -> None:
        super().__init__(f"output folder {path} already exists")


@command()
@option("-o", "--output", default="out", metavar="DIRECTORY", help="Where results are written.")
@option("--templates", default="", metavar="DIRECTORY", help="Templates of the transformation.")
@option(
    "-t",
    "--transformation",
    "transformations",
    multiple=True,
    metavar="IMAGE",
    help=f"Transformation to run; else {DEFAULT_IMAGE}.",
)
@flag("-y", "--yes", help="Empty the directory of results without a question.")
def convert(
    options: "ProjectOptions",
    output: str,
    templates: str,
    transformations: tuple[str, ...],
    *,
    yes: bool,
) -> None:
    """Convert compose files to Kubernetes manifests and others, by transformations.

    Each is an image, which is run on the resolved file, one after the other.

        cntnr compose bridge convert -o manifests
        cntnr compose bridge convert -t example/our-transformation
    """
    from cntnr_compose.cli.flows.bridge.model import build_model
    from cntnr_compose.cli.flows.bridge.output import TemplatesMissing, prepare_output
    from cntnr_compose.cli.flows.bridge.transformer import run_transformation
    from cntnr_compose.compose.render.output import render_literal_yaml

    target = Path(output).absolute()
    mounts = {"/out": target}
    if templates:
        mounts["/templates"] = Path(templates).absolute()
        if not mounts["/templates"].is_dir():
            raise TemplatesMissing(mounts["/templates"])
    images = transformations or (DEFAULT_IMAGE,)
    with options.display() as display:
        loaded = options.load(display)
        model = render_literal_yaml(build_model(options, loaded, display.emit))
        _pull(options, images, display.emit)
    if options.dry_run:
        return
    if output:
        prepare_output(target, yes=yes)
    for image in images:
        run_transformation(options, image, model, mounts)


def _pull(options: "ProjectOptions", images: tuple[str, ...], emit: "Emit") -> None:
    """Pull the images that are missing; a dry run shows what would be run."""
    from cntnr_compose.cli.flows.bridge.model import pull_missing
    from cntnr_compose.core.events import Progress
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    pull_missing(options, {(name, "") for name in images if store.find(name) is None}, emit)
    for name in images if options.dry_run else ():
        emit(Progress(kind="Transformation", name=name, status="Running"))
        emit(Progress(kind="Transformation", name=name, status="Exited", state="done"))


@command("PATH", name="create")
@argument("path", metavar="PATH")
@option(
    "-f",
    "--from",
    "source",
    default="",
    metavar="IMAGE",
    help=f"Transformation to copy; else {DEFAULT_IMAGE}.",
)
def create_transformation(options: "ProjectOptions", path: str, source: str) -> None:
    """Create the folder of a new transformation, with the templates of another one.

    `docker build` or a compose file makes an image of it.

        cntnr compose bridge transformations create mine
    """
    from cntnr_compose.cli.flows.bridge.output import OutputUnusable
    from cntnr_compose.cli.flows.bridge.transformer import copy_templates

    target, image = Path(path).absolute(), source or DEFAULT_IMAGE
    if target.exists() or target.is_symlink():
        raise FolderExists(target)
    with options.display() as display:
        _pull(options, (image,), display.emit)
    if options.dry_run:
        return
    with contextlib.ExitStack() as undo:
        try:
            target.mkdir(parents=True)
            undo.callback(shutil.rmtree, target, ignore_errors=True)
            copy_templates(options, image, target / "templates")
            (target / "Dockerfile").write_text(DOCKERFILE)
        except OSError as error:
            raise OutputUnusable(target, error) from error
        undo.pop_all()
    stdout.print_line(f'Transformer created in "{target}"')


@command(name="list")
@table_format("table or json.")
@flag("-q", "--quiet", help="Print only names.")
def list_transformations(_options: "ProjectOptions", form: str, *, quiet: bool) -> None:
    """List the images that are transformations."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.images.store import ImageStore

    images: dict[str, list[Image]] = {}
    for image in ImageStore().list():
        if (image.config.labels or {}).get(LABEL) == LABEL_VALUE:
            images.setdefault(image.id, []).append(image)
    objects = [_summarize(named) for named in images.values()]
    if quiet:
        stdout.write("".join(f"{[*one['RepoTags'], one['Id']][0]}\n" for one in objects))
        return
    print_rows(form, HEADER, [_row(one) for one in objects], objects)


def _summarize(named: "list[Image]") -> dict[str, Any]:
    """Describe an image with all its names, with docker's keys."""
    from cntnr_compose.cli.parser.since_until import NANOSECONDS, parse_time
    from cntnr_compose.model import image_name

    image, created = named[0], None
    with contextlib.suppress(CntnrError):  # whoever made the image wrote what they liked
        created = parse_time("Created", image.created)
    tags = [image_name.familiar(one.ref) for one in named if one.ref]
    return {
        "Containers": -1,
        "Created": 0 if created is None else created // NANOSECONDS,
        "Id": image.id,
        "Labels": image.config.labels,
        "ParentId": "",
        "RepoDigests": [f"{tag.rpartition(':')[0]}@{image.manifest}" for tag in tags],
        "RepoTags": tags,
        "SharedSize": -1,
        "Size": image.size,
    }


def _row(image: dict[str, Any]) -> tuple[str, ...]:
    from cntnr_compose.cli.display.tables import format_size

    repository, _, tag = (image["RepoTags"] or ["<none>:<none>"])[0].rpartition(":")
    return (
        image["Id"].partition(":")[2][:12],
        repository,
        tag,
        format_size(image["Size"]),
    )
