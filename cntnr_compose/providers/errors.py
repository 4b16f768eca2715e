"""Errors of providers: they report one, end with one, or do not keep to the protocol."""

from cntnr_compose.core.errors import CntnrError


class ProviderFailed(CntnrError):
    """A provider has not done what it was called for."""


class ProviderReported(ProviderFailed):
    """A provider says itself what went wrong."""

    def __init__(self, service: str, text: str) -> None:
        super().__init__(f"service {service}: {text}")


class ProviderExited(ProviderFailed):
    """A provider ended with an exit code that is not 0."""

    def __init__(self, service: str, command: str, code: int, error: str) -> None:
        verb = {"up": "create", "down": "remove"}.get(command, command)
        tail = f": {error}" if error else ""
        super().__init__(f"failed to {verb} service provider {service}: exit status {code}{tail}")


class ProviderNotStarted(ProviderFailed):
    """The program of a provider cannot be started."""

    def __init__(self, program: str, why: str) -> None:
        super().__init__(f"cannot start the provider {program}: {why}")


class ResponseInvalid(ProviderFailed):
    """A provider wrote something that the protocol does not have."""

    def __init__(self, service: str, what: str) -> None:
        super().__init__(f"service {service}: invalid response from plugin: {what}")


class ResponseTooLarge(ProviderFailed):
    """A message of a provider, or all its variables, are longer than anybody needs."""

    def __init__(self, service: str, what: str) -> None:
        super().__init__(f"service {service}: its provider writes {what}")


class ParameterMissing(ProviderFailed):
    """A service lacks an option that its provider requires."""

    def __init__(self, parameter: str, kind: str) -> None:
        super().__init__(
            f'required parameter "{parameter}" is missing from provider "{kind}" definition'
        )
