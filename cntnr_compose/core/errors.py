"""Base of all errors that a user can fix. Any other exception is a bug and keeps its traceback."""

TYPE_CHECKING = False  # not typing's, whose import takes longer than ours
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class CntnrError(Exception):
    """An error that the user can fix: one sentence, a hint, an exit code.

    ``details`` are parts of the sentence for code that acts on the error.
    """

    exit_code = 1
    hint = ""
    details: "Mapping[str, str | int]" = {}

    @property
    def kind(self) -> str:
        """Return the name of the class, by which errors travel over the socket."""
        return type(self).__name__


def did_you_mean(name: str, known: "Iterable[str]") -> str:
    """Return a hint that names what is similar to a name; an empty one if nothing is."""
    from difflib import get_close_matches  # which only mistakes need

    near = get_close_matches(name, sorted(known), n=2)
    return f"did you mean {' or '.join(near)}?" if near else ""


class RemoteError(CntnrError):
    """An error of another process of ours, received as JSON."""

    def __init__(
        self,
        kind: str,
        message: str,
        hint: str = "",
        exit_code: int = 1,
        details: "Mapping[str, str | int] | None" = None,
    ) -> None:
        super().__init__(message)
        self._kind = kind
        self.hint = hint
        self.exit_code = exit_code
        self.details = details or {}

    @property
    def kind(self) -> str:
        """Return the name of the class that was raised in the other process."""
        return self._kind


class NoSuchService(CntnrError):
    """A command names a service that the project does not have."""

    def __init__(self, name: str, known: "Iterable[str]" = ()) -> None:
        super().__init__(f"no such service: {name}")
        self.hint = did_you_mean(name, known)


class NoSuchContainer(CntnrError):
    """No container of the user has a name or id, or has it any more."""

    def __init__(self, reference: str, names: "Iterable[str]" = ()) -> None:
        super().__init__(f"No such container: {reference}")
        self.hint = did_you_mean(reference, names)


class ServiceEnvFileMissing(CntnrError):
    """A required env file of a service does not exist."""

    hint = "make the file, or set `required: false`"

    def __init__(self, path: str) -> None:
        why = f"stat {path}: no such file or directory"
        super().__init__(f"env file {path} not found: {why}")


class ProgramMissing(CntnrError):
    """A program that is needed is not installed."""

    hint = "run `cntnr doctor` to see what must be installed, and how"

    def __init__(self, program: str) -> None:
        super().__init__(f"cannot find the program {program}")


class CommandFailed(CntnrError):
    """A program ended with an unexpected exit status."""

    def __init__(self, argv: "Sequence[str]", returncode: int, stderr: str) -> None:
        import shlex

        self.argv = tuple(argv)
        self.returncode = returncode
        self.stderr = stderr
        self.hint = f"to see it again: {shlex.join(argv)}"
        end = _end_of_program(argv[0], returncode)
        last = " / ".join(line for line in stderr.strip().splitlines()[-3:] if line)
        self.reason = " / ".join(stderr.strip().splitlines()) or end  # never empty
        super().__init__(f"{end}: {last}" if last else f"{end}, without a message")


def _end_of_program(name: str, returncode: int) -> str:
    if returncode >= 0:
        return f"{name} ended with status {returncode}"
    import signal

    return f"{name} was killed by signal {-returncode} ({signal.strsignal(-returncode)})"
