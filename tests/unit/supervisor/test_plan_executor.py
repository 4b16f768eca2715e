"""Of several errors of a plan, which is reported."""

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.supervisor.plan_executor import SeveralFailed, root_cause


class Mistake(CntnrError):
    hint = "mend it"


def test_the_first_mistake_is_told() -> None:
    group = ExceptionGroup("", [ExceptionGroup("", [Mistake("a")]), Mistake("b")])
    assert str(root_cause(group)) == "a"


def test_a_bug_is_told_before_a_mistake() -> None:
    group = ExceptionGroup("", [Mistake("a"), ExceptionGroup("", [KeyError("bug")])])
    assert isinstance(root_cause(group), KeyError)


def test_several_failures_are_told_together() -> None:
    error = SeveralFailed([CntnrError("x"), Mistake("y")])
    assert (str(error), error.hint) == ("x; y", "mend it")
