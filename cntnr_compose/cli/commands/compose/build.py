"""`cntnr compose build`: build the images of services."""

import os
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cntnr_compose.builder.request import BuildOptions
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.model.project import Project

NO_ATTESTATION = ("", "false", "disabled=true")


@command("[SERVICE...]")
@services
@option("--build-arg", multiple=True, metavar="NAME=VALUE", help="Set a build argument.")
@option("--builder", default="", metavar="NAME", help="Without effect: there is one builder.")
@flag("--check", help="Check the Dockerfiles instead of building.")
@option("-m", "--memory", default="", metavar="BYTES", help="Limit the memory of each RUN.")
@flag("--no-cache", help="Use nothing of earlier builds.")
@flag("--print", help="Print the equivalent bake file instead of building.")
@option("--provenance", default="", metavar="MODE", help="Without effect: nothing is attested.")
@flag("--pull", help="Always ask for newer base images.")
@flag("--push", help="Push images when they are built.")
@flag("-q", "--quiet", help="Do not show the output of the build.")
@option("--sbom", default="", metavar="MODE", help="Without effect: nothing is attested.")
@flag("--shell-on-failure", help="Open a shell in the state before a RUN that fails.")
@option("--ssh", multiple=True, metavar="ID=PATH", help="SSH agent or key for `RUN --mount`.")
@flag("--with-dependencies", help="Also build the services that these depend on.")
@flag("--compress", "--force-rm", "--no-rm", "--parallel", "_without_effect")
def build(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> int:
    """Build the images of services that have `build`.

    Without SERVICE, those of all services. Steps whose files did not change come from the cache.

        cntnr compose build web
        cntnr compose build --no-cache --pull
    """
    if values["quiet"]:
        options = options.replace(progress="quiet")
    build_options = _parse_options(values)
    if values["shell_on_failure"]:
        options = options.replace(progress="plain")  # nothing is drawn over the shell
    with options.display() as display:
        loaded = options.load(display, services)
        selected = loaded.project.select(services, dependencies=values["with_dependencies"])
        names = tuple(name for name, one in selected.services.items() if one.build is not None)
        options.show_warnings(_without_effect(values))
        if not names:
            return 0  # as docker: nothing is said either
        if values["print"]:
            _print_bake_file(loaded, services, names, build_options, values)
            return 0
        if values["check"]:
            return _check(loaded.project, names, build_options)
        from cntnr_compose.builder.project_build import build_services

        build_services(
            loaded.project,
            names,
            options=build_options,
            quiet=values["quiet"],
            shell_on_failure=values["shell_on_failure"],
            dry_run=options.dry_run,
            emit=display.emit,
        )
        if values["push"] and not options.dry_run:  # nothing was built that could be pushed
            from cntnr_compose.images.transports.push import push_services

            built = [loaded.project.services[name] for name in names]
            push_services(
                [service for service in built if service.image],
                dry_run=options.dry_run,
                emit=display.emit,
            )
    return 0


def _check(project: "Project", names: tuple[str, ...], options: "BuildOptions") -> int:
    """Print what the checks of Dockerfiles say; return 1 where that is not good."""
    from cntnr_compose.builder.project_build import check_services
    from cntnr_compose.cli.flows.image_build.check_report import print_reports

    return print_reports(check_services(project, names, options))


def _parse_options(values: dict[str, Any]) -> "BuildOptions":
    """Read the options of the builds. Raises `BadOption`."""
    from cntnr_compose.builder.request import BuildOptions
    from cntnr_compose.cli.flows.image_build.flag_values import parse_bytes
    from cntnr_compose.cli.parser.env_options import parse_variables

    return BuildOptions(
        args=parse_variables(values["build_arg"], os.environ),
        no_cache=values["no_cache"],
        pull=values["pull"],
        ssh=values["ssh"],
        memory=parse_bytes("memory", values["memory"]),
    )


def _without_effect(values: dict[str, Any]) -> "Iterator[str]":
    """Tell which options are not honoured, and why."""
    if values["builder"] not in ("", "default"):
        name = values["builder"]
        yield f"--builder {name} has no effect: there is one builder here, and no daemon to choose"
    for name in ("provenance", "sbom"):
        if values[name] not in NO_ATTESTATION:
            yield f"--{name} has no effect: no attestations are made"


def _print_bake_file(
    loaded: "LoadedProject",
    services: tuple[str, ...],
    names: tuple[str, ...],
    options: "BuildOptions",
    values: dict[str, Any],
) -> None:
    from cntnr_compose.cli.flows.images.bake import build_bake_file
    from cntnr_compose.compose.render.output import to_go_json

    tree = build_bake_file(
        loaded.project,
        loaded.tree,
        names,
        options,
        selected=loaded.project.select(services).services,
        push=values["push"],
        check=values["check"],
    )
    stdout.print_line(to_go_json(tree))
