"""Units of systemd: words that are read back as they were."""

import re
import sys

import pytest

from cntnr_compose.client.boot import systemd_unit
from cntnr_compose.client.boot.systemd_unit import ServiceUnit, command_line, render_unit

WORD = re.compile(r'"([^"]*)"|(\S+)')
HARD = ['a "b"', "100%", "$HOME", "back\\slash", "two\nlines", "é;#", "it's", ""]


def read_words(line: str) -> list[str]:
    """Read words as systemd does: escapes, then specifiers."""

    def unescape(word: str) -> str:
        assert not re.search(r"%(?!%)|\$(?!\$)", word.replace("%%", "").replace("$$", ""))
        text = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), word)
        return text.replace("%%", "%").replace("$$", "$")

    return [unescape(quoted or plain) for quoted, plain in WORD.findall(line)]


def test_words_are_read_back_as_they_were() -> None:
    assert read_words(command_line(["/bin/x", *HARD])) == ["/bin/x", *HARD]
    assert command_line(["/bin/x", "-f", "/a/b.yaml"]) == "/bin/x -f /a/b.yaml"
    assert "\n" not in command_line(["/bin/x", *HARD])


@pytest.mark.parametrize(
    ("graces", "timeout"), [([], "30"), ([10, 90.4], "120"), ([10, -1], "infinity")]
)
def test_a_unit_is_stopped_within_the_grace_of_its_containers(
    graces: list[float], timeout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/no/such"])
    unit = ServiceUnit(
        name="shop",
        description="100% two\nlines \\",
        made_by=["compose", "two\nlines\\"],
        start=["compose", "up"],
        stop=["compose", "stop"],
        graces=graces,
        variables={"PATH": "/a b:/c"},
    )
    lines = render_unit(unit).splitlines()
    assert f"TimeoutStopSec={timeout}" in lines
    assert "Description=100%% two?lines ?" in lines
    assert 'Environment="PATH=/a b:/c"' in lines
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    assert read_words(start.partition("=")[2]) == [
        sys.executable, "-P", "-c", systemd_unit.ENTRY_CODE, "compose", "up",
    ]  # fmt: skip
    assert all(re.match(r"$|#|\[\w+\]$|\w+=", line) for line in lines)
