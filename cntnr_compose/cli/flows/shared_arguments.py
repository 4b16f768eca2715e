"""Options that `up`, `create`, `scale`, `plan` and `run` share, with their checks; and of a bad value."""

from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

PULL_POLICIES = ("always", "missing", "never", "build", "policy")


class BadOption(CntnrError):
    """The value of an option does not have the form that it must have."""

    def __init__(self, option: str, text: str, why: str, hint: str = "") -> None:
        super().__init__(f'invalid argument "{text}" for {option}: {why}')
        self.hint = hint


class Incompatible(CntnrError):
    """Options contradict each other."""

    def __init__(self, option: str, *others: str) -> None:
        if len(others) == 1:
            super().__init__(f"{option} and {others[0]} are incompatible")
        else:
            listed = f"{', '.join(others[:-1])} or {others[-1]}"
            super().__init__(f"{option} cannot be combined with {listed}")


class BadPullPolicy(CntnrError):
    """The value of ``--pull`` is not known."""

    hint = f"it can be {', '.join(PULL_POLICIES[:3])} or build"

    def __init__(self, value: str) -> None:
        super().__init__(f'invalid --pull option "{value}"')


class BadScale(CntnrError):
    """A value of ``--scale`` is not of the form SERVICE=NUM."""

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid --scale option "{text}". Should be SERVICE=NUM')


class ImageOptions(Frozen):
    """How images are pulled and built."""

    build: bool = False
    no_build: bool = False
    pull: str = "policy"
    quiet_pull: bool = False
    quiet_build: bool = False

    def check(self) -> None:
        """Raise `Incompatible`, `BadPullPolicy`."""
        if self.build and self.no_build:
            raise Incompatible("--build", "--no-build")
        if self.pull not in PULL_POLICIES:
            raise BadPullPolicy(self.pull)


def parse_scales(texts: Iterable[str]) -> dict[str, int]:
    """Parse ``SERVICE=NUM``. Raises `BadScale`."""
    scales = {}
    for text in texts:
        service, _, count = text.rpartition("=")
        if not service or not count.isdecimal():
            raise BadScale(text)
        scales[service] = int(count)
    return scales
