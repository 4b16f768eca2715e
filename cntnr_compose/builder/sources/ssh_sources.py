"""Find the SSH agents and keys that a build may use."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value


class CannotBuild(CntnrError):
    """A build needs what does not exist, or what cntnr does not support."""

    def __init__(self, service: str, why: str, hint: str = "") -> None:
        super().__init__(f"cannot build {service}: {why}")
        self.hint = hint


class SshSource(Value, frozen=True, kw_only=True):
    """What ``RUN --mount=type=ssh`` of an id uses: the socket of an agent, or files of keys."""

    id: str
    socket: str = ""
    keys: tuple[str, ...] = ()


def find_ssh_sources(
    working_dir: str, service: str, own: Mapping[str, str], words: Iterable[str]
) -> Iterator[SshSource]:
    """Find the agents and keys that a build may use; ``words`` are ``default`` or ``id=path[,path]``.

    Raises `CannotBuild`.
    """
    sources = dict(own)
    for word in words:
        identity, equals, path = word.partition("=")
        if not identity or (not equals and identity != "default"):
            raise CannotBuild(service, f'invalid ssh key "{word}"', "`default`, or id=path")
        sources[identity] = path
    for identity, text in sources.items():
        names = [name for name in (text or os.environ.get("SSH_AUTH_SOCK", "")).split(",") if name]
        if not names:
            why = "the user has no SSH agent: SSH_AUTH_SOCK is not set"
            raise CannotBuild(service, why, "start one, or name a key with `--ssh default=PATH`")
        files = [str(Path(working_dir) / Path(name).expanduser()) for name in names]
        for file in files:
            if not Path(file).exists():
                raise CannotBuild(service, f"the SSH key or agent {file} does not exist")
        if len(files) == 1 and Path(files[0]).is_socket():
            yield SshSource(id=identity, socket=files[0])
        else:
            yield SshSource(id=identity, keys=tuple(files))
