"""Find the program of a provider: a plugin of the docker CLI, or a program in PATH."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cntnr_compose.core.errors import CntnrError

# Where the docker CLI looks for plugins beside the user's own folder.
PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


class ProviderTypeInvalid(CntnrError):
    """A provider would be compose itself, or has no name."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"'{kind}' is not a valid provider type")


class ProviderMissing(CntnrError):
    """There is no program of a provider's type."""

    def __init__(self, service: str, kind: str) -> None:
        super().__init__(
            f'cannot find the provider of service {service}: exec: "{kind}": '
            "executable file not found in $PATH"
        )
        self.hint = f"install {kind}, or docker-{kind} as a plugin of the docker CLI"


def find_provider(service: str, kind: str, environment: Mapping[str, str]) -> str:
    """Return the path of the program; a ``kind`` with a slash is a path.

    Raises `ProviderTypeInvalid`, `ProviderMissing`.
    """
    if kind in ("", "compose"):
        raise ProviderTypeInvalid(kind)
    for path in _candidates(kind, environment):
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise ProviderMissing(service, kind)


def _candidates(kind: str, environment: Mapping[str, str]) -> Iterator[Path]:
    if "/" in kind:
        yield Path(kind).absolute()
        return
    config = environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/"), ".docker")
    for folder in (Path(config, "cli-plugins"), *map(Path, PLUGIN_FOLDERS)):
        yield folder / f"docker-{kind}"
    path = environment.get("PATH", "")
    for name in (kind, f"docker-{kind}"):
        for word in path.split(":"):
            if word:  # an empty one would be the current directory
                yield Path(word, name).absolute()
