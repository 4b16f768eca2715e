"""Read the values of flags of a new container, as the docker CLI does."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from cntnr_compose.cli.flows.image_build import flag_values
from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.cli.project.options import current_directory
from cntnr_compose.core.errors import did_you_mean
from cntnr_compose.core.frozen import Tree

RESTART_POLICIES = ("no", "always", "unless-stopped", "on-failure")
DEVICE_MODES = frozenset("rwm")


def parse_pairs(option: str) -> Callable[[Iterable[str]], dict[str, str]]:
    """Return a function that reads ``NAME=VALUE``, or a name alone, whose value is empty."""
    return lambda texts: flag_values.parse_labels(texts, option)


def parse_environment(
    files: Iterable[str], texts: Iterable[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Read variables of files, then ``NAME=VALUE``; a name alone has the value of our environment, if any.

    Raises `BadOption`, `FileUnreadable`.
    """
    variables: dict[str, str] = {}
    for path in files:
        variables |= _read_file("--env-file", path, environ.get)
    for text in texts:
        name, equals, value = text.partition("=")
        if not name:
            raise BadOption("--env", text, "it should be NAME=VALUE")
        if equals:
            variables[name] = value
        elif name in environ:
            variables[name] = environ[name]
        else:
            variables.pop(name, None)
    return variables


def parse_labels(files: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """Read labels of files, then ``NAME=VALUE``. Raises `BadOption`, `FileUnreadable`."""
    labels: dict[str, str] = {}
    for path in files:
        labels |= _read_file("--label-file", path, lambda _: "")
    return labels | flag_values.parse_labels(texts)


def _read_file(option: str, path: str, lookup: Callable[[str], str | None]) -> dict[str, str]:
    from cntnr_compose.compose.files.reading import read_service_env_file
    from cntnr_compose.compose.variables.dotenv import EnvFileInvalid, parse_raw_dotenv

    text = read_service_env_file(os.path.join(current_directory(), path))  # noqa: PTH118
    if text is None:
        raise BadOption(option, path, "no such file or directory")
    try:
        return parse_raw_dotenv(text, lookup)
    except EnvFileInvalid as error:
        raise BadOption(option, path, str(error)) from None


def parse_hosts(texts: Sequence[str]) -> list[str]:
    """Read ``HOST:ADDRESS`` or ``HOST=ADDRESS``. Raises `BadOption`."""
    hosts = flag_values.parse_hosts(texts)
    return [f"{name}={address}" for name, addresses in hosts.items() for address in addresses]


def parse_devices(texts: Iterable[str]) -> list[Tree]:
    """Read ``SOURCE[:TARGET][:PERMISSIONS]``. Raises `BadOption`."""
    devices = []
    for text in texts:
        source, *rest = text.split(":")
        permissions = rest.pop() if rest and _is_device_mode(rest[-1]) else "rwm"
        target = rest.pop(0) if rest else source
        if rest or not source.startswith("/") or not target.startswith("/"):
            raise BadOption("--device", text, "it should be /dev/NAME[:/dev/NAME][:rwm]")
        devices.append({"source": source, "target": target, "permissions": permissions})
    return devices


def _is_device_mode(text: str) -> bool:
    return bool(text) and DEVICE_MODES.issuperset(text) and len(set(text)) == len(text)


def parse_security_options(texts: Iterable[str]) -> list[str]:
    """Make the file of ``seccomp=FILE`` absolute."""
    options = []
    for text in texts:
        separator = "=" if "=" in text else ":"
        key, _, value = text.partition(separator)
        if key == "seccomp" and value not in ("", "unconfined", "builtin"):
            value = os.path.join(current_directory(), value)  # noqa: PTH118
            text = f"seccomp={value}"  # noqa: PLW2901
        options.append(text)
    return options


def parse_ulimits(texts: Iterable[str]) -> Tree:
    """Read ``NAME=SOFT[:HARD]``; -1 is no limit. Raises `BadOption`."""
    limits = flag_values.parse_ulimits(texts)
    return {name: {"soft": limit.soft, "hard": limit.hard} for name, limit in limits.items()}


def check_restart(text: str) -> str:
    """Check a restart policy. Raises `BadOption`."""
    word, colon, attempts = text.partition(":")
    if word not in RESTART_POLICIES:
        known = ", ".join(RESTART_POLICIES)
        raise BadOption(
            "--restart", text, f"it can be {known}", did_you_mean(word, RESTART_POLICIES)
        )
    if colon and (word != "on-failure" or not attempts.isdecimal()):
        raise BadOption("--restart", text, "a number of attempts may follow on-failure: alone")
    return text


def check_signal(text: str) -> str:
    """Check a signal. Raises `BadOption`."""
    import signal

    from cntnr_compose.host.signals import SignalUnknown, signal_number

    try:
        signal_number(text)
    except SignalUnknown as error:
        known = [known.name for known in signal.Signals]
        raise BadOption(
            "--stop-signal", text, str(error), did_you_mean(text.upper(), known)
        ) from None
    return text


def parse_stop_timeout(seconds: int) -> str:
    """Return the seconds until a container is killed as compose files have them; below 0 it never is."""
    return f"{seconds}s"


def check_capabilities(option: str, names: Iterable[str]) -> None:
    """Raise `BadOption` where one of the names is no capability."""
    from cntnr_compose.containers.spec.capabilities import (
        ALL,
        CapabilityUnknown,
        select_capabilities,
    )

    for name in names:
        try:
            select_capabilities("", (name,), ())
        except CapabilityUnknown as error:
            near = did_you_mean(f"CAP_{name.upper().removeprefix('CAP_')}", ALL)
            raise BadOption(
                option, name, "there is no such capability", near or error.hint
            ) from None
