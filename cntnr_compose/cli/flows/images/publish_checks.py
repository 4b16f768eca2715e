"""Questions and refusals before a project is published: builds, mounts, secrets, variables."""

import re
from collections.abc import Iterator, Sequence

from cntnr_compose.compose.variables.dotenv import parse_raw_dotenv
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen, Tree
from cntnr_compose.images.transports.artifact import PublishedFile
from cntnr_compose.model.project import Project

# What docker compose calls them, and how they look.
SECRET_VALUES = (
    ("AWS Client ID", re.compile(r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]{16}\b")),
    ("Github authentication", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b")),
    (
        "JSON Web Token",
        re.compile(r"\beyJ[\w-]{5,4096}\.eyJ[\w-]{5,4096}\.[\w-]{5,4096}"),
    ),
    ("Private Key", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")),
    (
        "URL with password",
        re.compile(r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@]{1,256}:[^\s:/@$]{1,256}@"),
    ),
)
SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:api_?key|access_?key|secret|password|passwd|pwd|token|private_?key|credentials?)(?:$|[_.-])",
    re.IGNORECASE,
)
KEYWORD_KIND = "Keyword Detector"
NOT_SECRET = re.compile(r"\$\{?\w+[^}]*\}?|/run/secrets/.*|true|false|[0-9]{1,4}|", re.IGNORECASE)
SHOWN_LETTERS = 4


class OnlyBuilds(CntnrError):
    """Services have no image that others could pull."""

    hint = "give them an `image:`; it is pushed with the project"

    def __init__(self, services: Sequence[str]) -> None:
        names = "".join(f'\n- "{name}"' for name in services)
        super().__init__(
            "your Compose stack cannot be published as it only contains a build section for service(s):"
            f"{names}"
        )


class EnvironmentNotAllowed(CntnrError):
    """Variables would be published, and the user did not say that they may be."""

    def __init__(self, reasons: Sequence[str]) -> None:
        lines = "".join(f"{reason}\n" for reason in reasons)
        super().__init__(
            f"{lines}To avoid leaking sensitive data, you must either explicitly allow the sending of "
            "environment variables by using the --with-env flag,\n"
            "or remove sensitive data from your Compose configuration"
        )


class Secret(Frozen):
    """What looks like a secret: its kind, where it stands, and its value."""

    kind: str
    key: str
    value: str

    def __str__(self) -> str:
        """Show the beginning of the value alone: terminals and logs of CI are read by others."""
        return f'{self.kind}\n"{self.key}": {self.value[:SHOWN_LETTERS]}…'


def check_builds(project: Project) -> None:
    """Refuse services that have `build:` without `image:`. Raises `OnlyBuilds`."""
    services = [
        service.name
        for service in project.services.values()
        if service.build is not None and not service.image
    ]
    if services:
        raise OnlyBuilds(services)


def bind_mounts_question(project: Project) -> str:
    """Ask about the bind mounts of a project; "" where it has none."""
    lines = ""
    for name, service in project.services.items():
        binds = [mount for mount in service.volumes if mount.type == "bind"]
        lines += f"{name}\n" if binds else ""
        lines += "".join(
            f"{mount.source}:{mount.target}:{'ro' if mount.read_only else 'rw'}\n"
            for mount in binds
        )
    if not lines:
        return ""
    return (
        "you are about to publish bind mounts declaration within your OCI artifact.\n"
        "only the bind mount declarations will be added to the OCI artifact (not content)\n"
        "please double check that you are not mounting potential user's sensitive directories or data\n"
        f"{lines}Are you ok to publish these bind mount declarations?"
    )


def secrets_question(published: Sequence[PublishedFile], trees: Sequence[Tree]) -> str:
    """Ask about what looks like a secret in the files; "" where nothing does.

    ``trees`` are those of the compose files, with variables as they are written.
    """
    secrets = [secret for tree in trees for secret in _secrets_of_tree(tree)]
    for file in published:
        if file.is_env_file:
            secrets += _secrets_of_env_file(file.content.decode(errors="replace"))
    if not secrets:
        return ""
    lines = "".join(f"{secret}\n" for secret in secrets)
    return (
        "you are about to publish sensitive data within your OCI artifact.\n"
        "please double check that you are not leaking sensitive data\n"
        f"{lines}Are you ok to publish these sensitive data?"
    )


def environment_question(project: Project, trees: Sequence[Tree], *, with_env: bool) -> str:
    """Ask about the variables of a project; "" where it has none.

    Raises `EnvironmentNotAllowed` unless ``with_env``.
    """
    reasons, lines = [], ""
    for name, service in project.services.items():
        if any("env_file" in ((tree.get("services") or {}).get(name) or {}) for tree in trees):
            reasons.append(f'service "{name}" has env_file declared.')
        if service.environment:
            reasons.append(f'service "{name}" has environment variable(s) declared.')
            lines += f"Service/Config  {name}\n"
            lines += "".join(
                f"{key}={_shown_value(key, value)}\n" for key, value in service.environment.items()
            )
    for config in project.configs.values():
        if config.environment:
            reasons.append(f'config "{config.name}" is declare as an environment variable.')
            lines += f"Service/Config  {config.name}\n{config.name}={config.environment}\n"
    if reasons and not with_env:
        raise EnvironmentNotAllowed(reasons)
    if not lines:
        return ""
    return (
        "you are about to publish environment variables within your OCI artifact.\n"
        "please double check that you are not leaking sensitive data\n"
        f"{lines}Are you ok to publish these environment variables?"
    )


def _shown_value(key: str, value: str | None) -> str:
    """Show a value, but for the rest of what looks like a secret."""
    text = value or ""
    return f"{text[:SHOWN_LETTERS]}…" if _kind_of_secret(key, text) else text


def _secrets_of_tree(tree: Tree) -> Iterator[Secret]:
    """Find what looks like a secret in the texts of a tree, by kind."""
    pending: list[tuple[str, object]] = [("", tree)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending += [
                (f"{key}.{name}" if key else str(name), inner) for name, inner in value.items()
            ]
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                name, equals, text = str(inner).partition("=")
                is_pair = isinstance(inner, str) and equals and re.fullmatch(r"\w+", name)
                pending.append((f"{key}.{name}", text) if is_pair else (f"{key}[{index}]", inner))
        elif isinstance(value, str) and (kind := _kind_of_secret(key, value)):
            yield Secret(kind=kind, key=key, value=value)


def _secrets_of_env_file(text: str) -> Iterator[Secret]:
    for key, value in parse_raw_dotenv(text, lambda _name: None).items():
        if kind := _kind_of_secret(key, value):
            yield Secret(kind=kind, key=key, value=value)


def _kind_of_secret(key: str, value: str) -> str:
    """Return what kind of secret a value looks like, by itself or by its name; "" where it does not."""
    for kind, pattern in SECRET_VALUES:
        if pattern.search(value):
            return kind
    is_variable = ".environment." in f".{key}" or "." not in key
    name = key.rpartition(".")[2]
    is_named = is_variable and SECRET_NAME.search(name) and not NOT_SECRET.fullmatch(value)
    return KEYWORD_KIND if is_named else ""
