"""Call a provider: ``TYPE compose --project-name=NAME up --OPTION=VALUE SERVICE``, and ``down``, ``stop``."""

import contextlib
import os
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from cntnr_compose.core.events import Emit, Output, Progress
from cntnr_compose.core.values import Bytes, Seconds, Value, from_json
from cntnr_compose.host import process
from cntnr_compose.model.service import Service
from cntnr_compose.providers.errors import (
    ParameterMissing,
    ProviderExited,
    ProviderFailed,
    ProviderNotStarted,
    ProviderReported,
    ResponseInvalid,
)
from cntnr_compose.providers.messages import (
    MAX_LINE_SIZE,
    ProvidedVariables,
    VariableCollector,
    clean_text,
    parse_message,
)
from cntnr_compose.providers.program import find_provider

ProviderCommand = Literal["up", "down", "stop"]

WORDS: Mapping[str, tuple[str, str]] = {
    "up": ("Creating", "Created"),
    "down": ("Removing", "Removed"),
    "stop": ("Stopping", "Stopped"),
}
END_TIMEOUT: Seconds = 10  # after SIGTERM
POLL_INTERVAL: Seconds = 0.1
BLOCK_SIZE: Bytes = 1 << 16
MAX_ERROR_SIZE: Bytes = 1 << 10  # of standard error, for the message of a failure
ERROR_LINES = 3


class Parameter(Value, frozen=True, kw_only=True):
    """A parameter of one of a provider's commands."""

    name: str = ""
    required: bool = False


class CommandMetadata(Value, frozen=True, kw_only=True):
    """What a provider tells about one of its commands."""

    parameters: tuple[Parameter, ...] = ()


class ProviderMetadata(Value, frozen=True, kw_only=True):
    """What ``TYPE compose metadata`` tells; a provider need not have that command."""

    description: str = ""
    up: CommandMetadata = CommandMetadata()
    down: CommandMetadata = CommandMetadata()
    stop: CommandMetadata | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is known, so that all options are passed."""
        return not (self.description or self.up.parameters or self.down.parameters)


class ProviderCall:
    """One command of one provider, for a service of a project."""

    def __init__(
        self,
        project: str,
        service: Service,
        environment: Mapping[str, str],
        emit: Emit,
        *,
        verbose: bool = False,
    ) -> None:
        """Prepare it. Raises `ProviderTypeInvalid`, `ProviderMissing`."""
        assert service.provider is not None
        self._project, self._service, self._provider = project, service, service.provider
        own = {key: value for key, value in service.environment.items() if value is not None}
        self._environment = {**environment, **own}
        self._emit, self._verbose = emit, verbose
        self._program = find_provider(service.name, self._provider.type, environment)
        self._metadata = self._read_metadata()

    @property
    def can_stop(self) -> bool:
        """Tell whether the provider has a ``stop`` command, which is not required."""
        return self._metadata.stop is not None

    def run(self, command: ProviderCommand) -> ProvidedVariables:
        """Run a command to its end; return the variables that it sets. Raises `ProviderFailed`."""
        words = [self._program, "compose", f"--project-name={self._project}", command]
        words += [*self._list_options(command), self._service.name]
        working, done = WORDS[command]
        self._show(working)
        collector = VariableCollector(self._service.name)
        with _started(words, self._environment) as program:
            error = _read_lines(program, lambda line: self._handle(line, collector))
            code = process.wait_for(program)
        if code != 0:
            self._show(f"exit status {code}", "error")
            raise ProviderExited(self._service.name, command, code, error)
        self._show(done, "done")
        return collector.variables

    def _list_options(self, command: ProviderCommand) -> Iterator[str]:
        """Yield the options, as far as the command has them. Raises `ProviderFailed`."""
        known = getattr(self._metadata, command) or CommandMetadata()
        options = self._provider.options
        for parameter in known.parameters:
            if parameter.required and parameter.name not in options:
                raise ParameterMissing(parameter.name, self._provider.type)
        names = {parameter.name for parameter in known.parameters}
        for name, values in options.items():
            if self._metadata.is_empty or name in names:
                yield from (f"--{name}={value}" for value in values)

    def _handle(self, line: bytes, collector: VariableCollector) -> None:
        message = parse_message(self._service.name, line)
        match message.type:
            case "info":
                self._show(message.text)
            case "error":
                self._show(message.text, "error")
                raise ProviderReported(self._service.name, message.text)
            case "setenv" | "rawsetenv":
                collector.add(message)
            case "debug":
                if self._verbose:
                    self._emit(Output(source=f"{self._service.name} ->", text=message.text))
            case _:
                raise ResponseInvalid(self._service.name, clean_text(message.type))

    def _show(self, status: str, state: str = "working") -> None:
        self._emit(Progress(kind="", name=self._service.name, status=status, state=state))

    def _read_metadata(self) -> ProviderMetadata:
        words = [self._program, "compose", "metadata"]
        lines: list[bytes] = []
        try:
            with _started(words, self._environment) as program:
                _read_lines(program, lines.append, limits=METADATA_LIMITS)
                code = process.wait_for(program, END_TIMEOUT)
            return from_json(b"\n".join(lines), ProviderMetadata) if code == 0 else NO_METADATA
        except (ValueError, TimeoutError, ProviderFailed):
            return NO_METADATA


class OutputLimits(Value, frozen=True, kw_only=True):
    """How long and how much a program may write."""

    seconds: Seconds
    size: Bytes


NO_METADATA = ProviderMetadata()
METADATA_LIMITS = OutputLimits(seconds=10, size=1 << 20)


@contextlib.contextmanager
def _started(words: list[str], environment: Mapping[str, str]) -> Iterator[process.RunningProgram]:
    """Start a program without input; end it where the block is left before its end."""
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        program = process.popen(
            words, env=environment, stdin=null, stdout=process.PIPE, stderr=process.PIPE
        )
    except OSError as error:
        raise ProviderNotStarted(words[0], error.strerror or str(error)) from error
    finally:
        os.close(null)
    with program:
        try:
            yield program
        finally:
            process.end(program, END_TIMEOUT)


def _read_lines(
    program: process.RunningProgram,
    on_line: Callable[[bytes], None],
    *,
    limits: OutputLimits | None = None,
) -> str:
    """Read a program's output until it has ended; return the end of its standard error.

    What it leaves behind may hold its output open. Raises `TimeoutError` beyond the limits, and what
    ``on_line`` raises.
    """
    started, size = time.monotonic(), 0
    buffer, error = b"", b""
    assert program.stdout is not None
    assert program.stderr is not None
    with selectors.DefaultSelector() as selector:
        selector.register(program.stdout, selectors.EVENT_READ)
        selector.register(program.stderr, selectors.EVENT_READ)
        while selector.get_map():
            has_ended = program.poll() is not None
            events = selector.select(0 if has_ended else POLL_INTERVAL)
            if has_ended and not events:
                break
            if limits and (time.monotonic() - started > limits.seconds or size > limits.size):
                raise TimeoutError
            for key, _ in events:
                block = os.read(key.fd, BLOCK_SIZE)
                size += len(block)
                if not block:
                    selector.unregister(key.fileobj)
                elif key.fileobj is program.stderr:
                    error = (error + block)[-MAX_ERROR_SIZE:]
                else:
                    *lines, buffer = (buffer + block).split(b"\n")
                    # What is too long already need not be complete to be refused.
                    whole = [*lines, buffer] if len(buffer) > MAX_LINE_SIZE else lines
                    for line in filter(bytes.strip, whole):
                        on_line(line)
    if buffer.strip():
        on_line(buffer)
    return clean_text(b" / ".join(error.strip().split(b"\n")[-ERROR_LINES:]))
