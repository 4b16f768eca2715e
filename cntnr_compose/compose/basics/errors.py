"""What can be wrong with a compose project beyond the words of one file."""

from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError


class NoConfigurationFile(CntnrError):
    """No compose file was named, and none lies in the directory or above it."""

    hint = "run it where the compose file lies, or name the file with -f"

    def __init__(self) -> None:
        super().__init__("no configuration file provided: not found")


class FileUnreadable(CntnrError):
    """A file that is named cannot be read."""

    def __init__(self, path: str, why: str, *, action: str = "open") -> None:
        super().__init__(f"{action} {path}: {why}")


class NotASwitch(CntnrError):
    """A variable that switches something on or off says neither."""

    hint = "it can be true or false"

    def __init__(self, name: str, word: str) -> None:
        super().__init__(f'cannot read {name}: invalid boolean "{word}"')


class EnvFileMissing(CntnrError):
    """An env file that is named on the command line or by `include` is not there."""

    def __init__(self, path: str) -> None:
        super().__init__(f"couldn't find env file: {path}")


class ServiceEnvFileMissing(CntnrError):
    """An env file that a service needs is not there."""

    hint = "make the file, or set `required: false`"

    def __init__(self, path: str) -> None:
        why = f"stat {path}: no such file or directory"
        super().__init__(f"env file {path} not found: {why}")


class EnvFileBroken(CntnrError):
    """An env file cannot be understood."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"failed to read {path}: {why}")


class ProjectNameEmpty(CntnrError):
    """Neither options nor files nor the directory give a name."""

    hint = "name it with -p, with COMPOSE_PROJECT_NAME or with `name:` in the file"

    def __init__(self) -> None:
        super().__init__("project name must not be empty")


class ComposeFileEmpty(CntnrError):
    """The files hold nothing."""

    hint = "it wants at least `services:` and one service"

    def __init__(self, files: Iterable[str]) -> None:
        super().__init__(f"{', '.join(files)}: empty compose file")


class IncludeCycle(CntnrError):
    """A file includes itself, through others or at once."""

    def __init__(self, files: list[str]) -> None:
        first, *rest = files
        chain = "".join(f"\n include {file}" for file in rest)
        super().__init__(f"include cycle detected:\n{first}{chain}")


class ExtendsCycle(CntnrError):
    """A service extends itself, through others or at once."""

    def __init__(self, chain: list[tuple[str, str]]) -> None:
        (file, service), *rest = chain
        lines = [f"  {service} in {file}", *(f"  extends {name} in {at}" for at, name in rest)]
        super().__init__("Circular reference:\n" + "\n".join(lines))


class TooManyLevels(CntnrError):
    """Files include files, or services extend services, further than anybody means."""

    def __init__(self, what: str, levels: int) -> None:
        super().__init__(f"cannot follow {what} through more than {levels} levels")


class RemoteUnsupported(CntnrError):
    """A file lies in a git repository or a registry."""

    hint = "fetch it, and name the copy"

    def __init__(self, path: str) -> None:
        super().__init__(f"cannot read {path}: remote compose files are not supported yet")
