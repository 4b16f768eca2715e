"""Errors about a compose project beyond the contents of one file: missing files, cycles, names."""

from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError


class NoConfigurationFile(CntnrError):
    """No compose file is named, and there is none in the directory or its parents."""

    hint = "run it where the compose file lies, or name the file with -f"

    def __init__(self) -> None:
        super().__init__("no configuration file provided: not found")


class FileUnreadable(CntnrError):
    """A file cannot be read."""

    def __init__(self, path: str, why: str, *, action: str = "open") -> None:
        super().__init__(f"{action} {path}: {why}")


class NotASwitch(CntnrError):
    """A variable that must be a boolean is not one."""

    hint = "it can be true or false"

    def __init__(self, name: str, word: str) -> None:
        super().__init__(f'cannot read {name}: invalid boolean "{word}"')


class EnvFileMissing(CntnrError):
    """An env file of the command line or of `include` does not exist."""

    def __init__(self, path: str) -> None:
        super().__init__(f"couldn't find env file: {path}")


class EnvFileBroken(CntnrError):
    """An env file cannot be parsed."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"failed to read {path}: {why}")


class ProjectNameEmpty(CntnrError):
    """Options, files and directory yield no project name."""

    hint = "name it with -p, with COMPOSE_PROJECT_NAME or with `name:` in the file"

    def __init__(self) -> None:
        super().__init__("project name must not be empty")


class ComposeFileEmpty(CntnrError):
    """The compose files are empty."""

    hint = "it wants at least `services:` and one service"

    def __init__(self, files: Iterable[str]) -> None:
        super().__init__(f"{', '.join(files)}: empty compose file")


class IncludeCycle(CntnrError):
    """A file includes itself, directly or through others."""

    def __init__(self, files: list[str]) -> None:
        first, *rest = files
        chain = "".join(f"\n include {file}" for file in rest)
        super().__init__(f"include cycle detected:\n{first}{chain}")


class ExtendsCycle(CntnrError):
    """A service extends itself, directly or through others."""

    def __init__(self, chain: list[tuple[str, str]]) -> None:
        (file, service), *rest = chain
        lines = [f"  {service} in {file}", *(f"  extends {name} in {at}" for at, name in rest)]
        super().__init__("Circular reference:\n" + "\n".join(lines))


class TooManyLevels(CntnrError):
    """`include` or `extends` is nested too deeply."""

    def __init__(self, what: str, levels: int) -> None:
        super().__init__(f"cannot follow {what} through more than {levels} levels")


class RemoteUnsupported(CntnrError):
    """A compose file is in a git repository, or on a web server."""

    hint = "fetch it, and name the copy"

    def __init__(self, path: str) -> None:
        super().__init__(f"cannot read {path}: remote compose files are not supported yet")
