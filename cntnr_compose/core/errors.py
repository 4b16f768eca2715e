"""What a user can put right. Everything else is a bug and keeps its traceback."""

from collections.abc import Mapping, Sequence


class CntnrError(Exception):
    """A mistake that the user can mend: one sentence, a hint, an exit code.

    ``details`` are for programs: what the sentence says, where somebody has to act on it.
    """

    exit_code = 1
    hint = ""
    details: Mapping[str, str | int] = {}

    @property
    def kind(self) -> str:
        """Name the class, so that an error keeps its identity over the control socket."""
        return type(self).__name__


class RemoteError(CntnrError):
    """An error that happened in another process of ours and was sent here as JSON."""

    def __init__(
        self,
        kind: str,
        message: str,
        hint: str = "",
        exit_code: int = 1,
        details: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(message)
        self._kind = kind
        self.hint = hint
        self.exit_code = exit_code
        self.details = details or {}

    @property
    def kind(self) -> str:
        """Name the class that was raised over there."""
        return self._kind


class NoSuchService(CntnrError):
    """A service was named on the command line that the project does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no such service: {name}")


class ProgramMissing(CntnrError):
    """A program that the engine needs is not installed."""

    hint = "run `cntnr doctor` to see what must be installed, and how"

    def __init__(self, program: str) -> None:
        super().__init__(f"cannot find the program {program}")


class CommandFailed(CntnrError):
    """A program ended with a status that its caller did not expect."""

    def __init__(self, argv: Sequence[str], returncode: int, stderr: str) -> None:
        import shlex

        self.argv = tuple(argv)
        self.returncode = returncode
        self.stderr = stderr
        self.hint = f"to see it again: {shlex.join(argv)}"
        last = " / ".join(line for line in stderr.strip().splitlines()[-3:] if line)
        super().__init__(f"{argv[0]} ended with status {returncode}: {last or 'no message'}")
