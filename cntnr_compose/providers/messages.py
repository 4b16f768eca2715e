"""Messages of a provider: one JSON object a line on its standard output."""

from cntnr_compose.core.values import Bytes, Value, field, from_json
from cntnr_compose.providers.errors import ResponseInvalid, ResponseTooLarge

MAX_LINE_SIZE: Bytes = 1 << 20
MAX_VARIABLES_SIZE: Bytes = 1 << 18  # the kernel takes no larger environment anyway
MAX_SHOWN_LENGTH = 500  # characters of a message


class Message(Value, frozen=True, kw_only=True):
    """A message of a provider."""

    type: str
    message: str = ""

    @property
    def text(self) -> str:
        """Return the message as it is shown."""
        return clean_text(self.message)


def clean_text(text: str | bytes) -> str:
    """Return a text as one short line without control characters."""
    if isinstance(text, bytes):
        text = text[: 4 * MAX_SHOWN_LENGTH].decode(errors="replace")
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    return " ".join(words)[:MAX_SHOWN_LENGTH]


class ProvidedVariables(Value, frozen=True, kw_only=True):
    """Variables for the services that depend on a provider's service."""

    prefixed: dict[str, str] = field(default_factory=dict)  # to be prefixed by the service's name
    raw: dict[str, str] = field(default_factory=dict)  # named as they are

    def named(self, service: str) -> dict[str, str]:
        """Return all variables by the names that dependents see."""
        prefix = service.upper()
        return {f"{prefix}_{name}": value for name, value in self.prefixed.items()} | self.raw


class VariableCollector:
    """Collects the variables that a provider sets, up to `MAX_VARIABLES_SIZE`."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._size: Bytes = 0
        self._variables: dict[str, dict[str, str]] = {"setenv": {}, "rawsetenv": {}}

    def add(self, message: Message) -> None:
        """Add the variable of a ``setenv`` or ``rawsetenv`` message.

        Raises `ResponseInvalid`, `ResponseTooLarge`.
        """
        name, equals, value = message.message.partition("=")
        if not name or not equals or "\0" in message.message:
            raise ResponseInvalid(self._service, message.text)
        self._size += len(message.message)
        if self._size > MAX_VARIABLES_SIZE:
            raise ResponseTooLarge(self._service, "too many variables")
        self._variables[message.type][name] = value

    @property
    def variables(self) -> ProvidedVariables:
        """Return what was collected."""
        return ProvidedVariables(
            prefixed=self._variables["setenv"], raw=self._variables["rawsetenv"]
        )


def parse_message(service: str, line: bytes) -> Message:
    """Parse one line. Raises `ResponseInvalid`, `ResponseTooLarge`."""
    if len(line) > MAX_LINE_SIZE:
        raise ResponseTooLarge(service, "a message that is longer than 1 MiB")
    try:
        return from_json(line, Message)
    except ValueError as error:
        raise ResponseInvalid(service, f"{clean_text(line)} ({error})") from None
