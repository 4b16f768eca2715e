"""`cntnr compose pull`: images of services from their registries."""

from typing import TYPE_CHECKING

import click

from cntnr_compose.cli.options import flag, services, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.console import Console
    from cntnr_compose.cli.scope import Scope
    from cntnr_compose.core.errors import CntnrError
    from cntnr_compose.model.service import Service

AT_ONCE = 4


@verb("[SERVICE...]")
@services
@flag("--ignore-buildable", text="Not images that can be built.")
@flag("--ignore-pull-failures", text="Go on where an image cannot be had.")
@flag("--include-deps", text="Also images of the services that these depend on.")
@click.option("--policy", type=click.Choice(["always", "missing"]), default="always", help="When.")
@flag("-q", "--quiet", text="Do not show progress.")
@flag("--parallel", "--no-parallel", "_parallel", text="No effect; as in docker.", hidden=True)
def pull(
    scope: "Scope",
    services: tuple[str, ...],
    *,
    ignore_buildable: bool,
    ignore_pull_failures: bool,
    include_deps: bool,
    policy: str,
    quiet: bool,
    _parallel: bool,
) -> None:
    """Get images of services."""
    from cntnr_compose.core.values import replace

    if quiet:
        scope = replace(scope, progress="quiet")
    with scope.console() as console:
        project = scope.load(console, services)
        chosen = project.select(services, dependencies=include_deps)
        wanted: dict[str, Service] = {}
        for service in chosen.services.values():
            if service.image and not (service.build is not None and ignore_buildable):
                wanted.setdefault(service.image, service)
        failed = _pull_all(scope, wanted, console, only_missing=policy == "missing")
        for error in failed:
            if not ignore_pull_failures:
                raise error
            from cntnr_compose.core.events import Warned

            console.tell(Warned(text=str(error)))


def _pull_all(
    scope: "Scope", wanted: "dict[str, Service]", console: "Console", *, only_missing: bool
) -> "list[CntnrError]":
    """Pull several at once; give the errors of those that cannot be had."""
    from concurrent.futures import ThreadPoolExecutor

    from cntnr_compose.core.errors import CntnrError
    from cntnr_compose.core.events import Progress
    from cntnr_compose.engine.images import ImageStore
    from cntnr_compose.engine.images import pull as fetch

    store = ImageStore()

    def tell(status: str, name: str) -> None:
        state = "done" if status == "Pulled" else "working"
        console.tell(Progress(kind="Image", name=name, status=status, state=state))

    def one(service: "Service") -> CntnrError | None:
        if only_missing and store.find(service.image) is not None:
            console.tell(Progress(kind="Image", name=service.image, status="Skipped", state="done"))
            return None
        try:
            if scope.dry_run:
                tell("Pulled", service.image)
            else:
                fetch(service.image, platform=service.platform, on_event=tell, store=store)
        except CntnrError as error:
            if service.build is not None:
                text = f"{error}; it can be built"
                console.tell(
                    Progress(
                        kind="Image",
                        name=service.image,
                        status="Skipped",
                        state="warning",
                        detail=text,
                    )
                )
                return None
            console.tell(
                Progress(
                    kind="Image",
                    name=service.image,
                    status="Error",
                    state="error",
                    detail=str(error),
                )
            )
            return error
        return None

    workers = scope.parallel if scope.parallel > 0 else AT_ONCE
    with ThreadPoolExecutor(workers) as pool:
        return [error for error in pool.map(one, wanted.values()) if error is not None]
