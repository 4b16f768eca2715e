"""`cntnr compose build`: build the images of services."""

import os
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services, unsupported

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@option("--build-arg", multiple=True, metavar="NAME=VALUE", help="Variable of the build.")
@flag("--no-cache", help="Use nothing of earlier builds.")
@flag("--pull", help="Always ask for newer base images.")
@flag("--push", help="Push images when they are built.")
@flag("-q", "--quiet", help="Do not show the output of the build.")
@flag("--with-dependencies", help="Also build the services that these depend on.")
@unsupported("--builder", is_flag=False, hint="there is one builder, and no daemon to choose")
@unsupported("--check")
@unsupported("-m", "--memory", is_flag=False)
@unsupported("--print")
@unsupported("--provenance", is_flag=False)
@unsupported("--sbom", is_flag=False)
@unsupported("--ssh", is_flag=False)
@flag("--compress", "--force-rm", "--no-rm", "--parallel", "_without_effect")
def build(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """Build images of services."""
    from cntnr_compose.builder.build import build_images
    from cntnr_compose.cli.parser.env_options import parse_variables

    if values["quiet"]:
        options = options.replace(progress="quiet")
    with options.display() as display:
        project = options.load_project(display, services)
        selected = project.select(services, dependencies=values["with_dependencies"])
        names = tuple(name for name, one in selected.services.items() if one.build is not None)
        if not names:
            options.show_warnings(["No services to build"])
            return
        build_images(
            project,
            names,
            no_cache=values["no_cache"],
            pull=values["pull"],
            args=parse_variables(values["build_arg"], os.environ),
            quiet=values["quiet"],
            dry_run=options.dry_run,
            emit=display.emit,
        )
        if values["push"] and not options.dry_run:
            from cntnr_compose.images.push import push_services

            built = [project.services[name] for name in names]
            push_services([service for service in built if service.image], emit=display.emit)
