"""What is made of what a runtime says."""

import pytest

from cntnr_compose.containers.runtime.runc import ContainerFailed, extract_cause

SAID = (
    'time="2026-01-01T00:00:00Z" level=warning msg="unable to get oom kill count" error="x"\n'
    'time="2026-01-01T00:00:00Z" level=error msg="runc create failed: unable to start container process: '
    'exec: \\"nope\\": executable file not found in $PATH"\n'
)


def test_the_cause_is_taken_out_of_the_log_lines() -> None:
    assert extract_cause(SAID) == 'exec: "nope": executable file not found in $PATH'
    assert extract_cause("") == "the runtime failed without a word"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('exec: "nope": executable file not found in $PATH', 127),
        ('exec: "/etc": permission denied', 126),
        ("exec /x: exec format error", 126),
        ("something else", 1),
    ],
)
def test_what_the_program_lacks_decides_the_exit_code(message: str, code: int) -> None:
    error = ContainerFailed("p-web-1", message)
    assert error.exit_code == code
    assert str(error) == f"cannot start container p-web-1: {message}"
