"""Bring up and down services that a program provides, before and after the containers of the others."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Progress, WarningEvent
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.core.events import Emit
    from cntnr_compose.model.project import Project
    from cntnr_compose.model.service import Service
    from cntnr_compose.providers.call import ProviderCommand


class CallOptions(Frozen):
    """How providers are called."""

    dry_run: bool = False  # not at all: only shown
    verbose: bool = False  # with their messages for debugging


def bring_up_providers(
    options: CallOptions, project: "Project", selected: "Project", emit: "Emit"
) -> "Project":
    """Bring up the selected services that have a provider, each after those that it depends on.

    Returns the project with the variables that they set for their dependents. Raises what finding and
    calling a provider raises.
    """
    for name in _provider_names(selected):
        if options.dry_run:
            _show_only("up", name, emit)
            continue
        from cntnr_compose.providers.call import ProviderCall

        call = ProviderCall(
            project.name,
            project.services[name],
            project.environment,
            emit,
            verbose=options.verbose,
        )
        variables = call.run("up")
        project = _with_variables(project, name, variables.named(name), emit)
    return project


def end_providers(
    options: CallOptions,
    project: "Project | None",
    command: "ProviderCommand",
    services: Iterable[str],
    emit: "Emit",
) -> None:
    """Call ``down`` or ``stop`` of the named services' providers, or of all, dependents first.

    A provider without ``stop`` is passed over. All are called before the first failure is raised.
    """
    if project is None:
        return
    names = _provider_names(project)
    selected = set(services) or set(names)
    failures: list[CntnrError] = []
    for name in reversed(names):
        if name not in selected:
            continue
        try:
            _end_provider(options, project, command, name, emit)
        except CntnrError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _end_provider(
    options: CallOptions, project: "Project", command: "ProviderCommand", name: str, emit: "Emit"
) -> None:
    if options.dry_run:
        _show_only(command, name, emit)
        return
    from cntnr_compose.providers.call import ProviderCall

    service = project.services[name]
    call = ProviderCall(project.name, service, project.environment, emit, verbose=options.verbose)
    if command != "stop" or call.can_stop:
        call.run(command)


def _show_only(command: "ProviderCommand", name: str, emit: "Emit") -> None:
    from cntnr_compose.providers.call import WORDS

    working, done = WORDS[command]
    emit(Progress(kind="", name=name, status=working))
    emit(Progress(kind="", name=name, status=done, state="done"))


def _provider_names(project: "Project") -> list[str]:
    """Name the services with a provider, each after those that it depends on."""
    services = project.services
    if all(service.provider is None for service in services.values()):
        return []
    from cntnr_compose.compose.queries import order_services

    trees = {name: service.raw for name, service in services.items()}
    return [name for name in order_services(trees) if services[name].provider is not None]


def _with_variables(
    project: "Project", provider: str, variables: Mapping[str, str], emit: "Emit"
) -> "Project":
    """Set the variables of a provider in all services that depend on it."""
    from cntnr_compose.core.values import replace

    if not variables:
        return project
    dependents = {
        name: _with_environment(service, provider, variables, emit)
        for name, service in project.services.items()
        if provider in service.depends_on
    }
    return replace(project, services={**project.services, **dependents})


def _with_environment(
    service: "Service", provider: str, variables: Mapping[str, str], emit: "Emit"
) -> "Service":
    """Return a service with more variables; warn of those that it had already."""
    from cntnr_compose.core.values import replace

    for name in sorted(variables.keys() & service.environment.keys()):
        if service.environment[name] != variables[name]:
            text = f"variable {name} of service {service.name} is overwritten by {provider}"
            emit(WarningEvent(text=text))
    environment = dict(sorted({**service.environment, **variables}.items()))
    raw = {**service.raw, "environment": environment}
    return replace(service, environment=environment, raw=raw)
