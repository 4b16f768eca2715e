"""`cntnr compose build`: images of services from their build files."""

import os
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option, services, unsupported

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.project import Project


@command("[SERVICE...]")
@services
@option("--build-arg", multiple=True, metavar="NAME=VALUE", help="Variable of the build.")
@flag("--no-cache", text="Use nothing of earlier builds.")
@flag("--pull", text="Always ask for newer base images.")
@flag("--push", text="Push images when they are built.")
@flag("-q", "--quiet", text="Do not show the output of the build.")
@flag("--with-dependencies", text="Also build the services that these depend on.")
@unsupported("--builder", is_flag=False, instead="there is one builder, and no daemon to choose")
@unsupported("--check")
@unsupported("-m", "--memory", is_flag=False)
@unsupported("--print")
@unsupported("--provenance", is_flag=False)
@unsupported("--sbom", is_flag=False)
@unsupported("--ssh", is_flag=False)
@flag("--compress", "--force-rm", "--no-rm", "--parallel", "_old", text="", hidden=True)
def build(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> None:
    """Build images of services."""
    from cntnr_compose.builder.build import build_images as make
    from cntnr_compose.cli.parser.env_vars import parse_variables

    if given["quiet"]:
        scope = scope.replace(progress="quiet")
    with scope.display() as console:
        project = scope.load_project(console, services)
        chosen = project.select(services, dependencies=given["with_dependencies"])
        names = tuple(name for name, one in chosen.services.items() if one.build is not None)
        if scope.dry_run:
            for name in names:
                out.print_line(f"build image {project.image_name(project.services[name])}")
            return
        if not names:
            from cntnr_compose.core.events import WarningEvent

            console.emit(WarningEvent(text="No services to build"))
            return
        make(
            project,
            names,
            no_cache=given["no_cache"],
            pull=given["pull"],
            args=parse_variables(given["build_arg"], os.environ),
            quiet=given["quiet"],
            emit=console.emit,
        )
        if given["push"]:
            _push(project, names, console)


def _push(project: "Project", names: tuple[str, ...], console: "ProgressDisplay") -> None:
    from cntnr_compose.core.events import Progress
    from cntnr_compose.images.transfer import push_image

    def tell(status: str, name: str) -> None:
        state = "done" if status == "Pushed" else "working"
        console.emit(Progress(kind="Image", name=name, status=status, state=state))

    for name in names:
        service = project.services[name]
        if service.image:  # only such a name tells a registry
            push_image(service.image, on_progress=tell)
