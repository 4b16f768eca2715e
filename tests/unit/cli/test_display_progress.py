"""Events are drawn as docker draws them, on standard error."""

import io
import json
import re
import sys
import threading
import time
from typing import Any

import pytest
from rich.live import Live

from cntnr_compose.cli.display.progress import (
    JsonDisplay,
    PlainDisplay,
    ProgressDisplay,
    TerminalDisplay,
    choose_display,
    is_coloured,
)
from cntnr_compose.core.events import ContainerEvent, Output, Progress, WarningEvent

CREATED = Progress(kind="Container", name="shop-web-1", status="Created", state="done")
RECREATE = Progress(kind="Container", name="shop-web-1", status="Recreate", detail="image changed")
OUTPUT = Output(source="web 1/2", text="RUN make")
CHANGE = ContainerEvent(action="die", time=0, id="1", name="n", service="s")


class FakeTerminal(io.StringIO):
    """Stand in for a terminal."""

    def isatty(self) -> bool:
        return True


def draw(
    display: ProgressDisplay, *events: Progress | WarningEvent | Output | ContainerEvent
) -> str:
    with display:
        for event in events:
            display.emit(event)
    assert isinstance(display.stream, io.StringIO)
    return display.stream.getvalue()


def test_plain_lines_are_docker_s() -> None:
    assert draw(PlainDisplay(io.StringIO()), CREATED, RECREATE, OUTPUT, CHANGE) == (
        " Container shop-web-1  Created\n"
        " Container shop-web-1  Recreate (image changed)\n"
        "web 1/2 RUN make\n"
    )


def test_json_lines_have_docker_s_keys() -> None:
    lines = draw(JsonDisplay(io.StringIO()), CREATED, RECREATE, OUTPUT).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "Container shop-web-1", "status": "Created", "schema": 1},
        {
            "id": "Container shop-web-1",
            "status": "Recreate",
            "text": "image changed",
            "schema": 1,
        },
        {"id": "web 1/2", "text": "RUN make", "schema": 1},
    ]


def test_quiet_says_only_warnings() -> None:
    text = draw(ProgressDisplay(io.StringIO()), CREATED, OUTPUT, WarningEvent(text='a "b"'))
    assert re.fullmatch(r'time="\S+Z" level=warning msg="a \\"b\\""\n', text)


def test_a_warning_is_said_once_and_briefly_on_a_terminal() -> None:
    warned = WarningEvent(text="careful")
    assert draw(PlainDisplay(FakeTerminal()), warned, warned) == "WARN[0000] careful\n"
    assert (
        draw(PlainDisplay(FakeTerminal(), coloured=True), warned)
        == "\x1b[33mWARN\x1b[0m[0000] careful\n"
    )


def test_warnings_and_errors_are_json_where_all_is() -> None:
    display = JsonDisplay(io.StringIO())
    assert json.loads(draw(display, WarningEvent(text="careful")))["msg"] == "careful"
    display = JsonDisplay(io.StringIO())
    assert display.show_error("it broke", "mend it")
    assert json.loads(draw(display)) == {"error": True, "message": "it broke", "hint": "mend it"}
    assert not PlainDisplay(io.StringIO()).show_error("it broke", "")


def without_escapes(text: str) -> str:
    """Remove the escape sequences that move the cursor or colour text."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_terminal_shows_a_line_for_each_thing_and_leaves_the_last_state() -> None:
    text = draw(TerminalDisplay(FakeTerminal(), coloured=True), RECREATE, OUTPUT, CREATED)
    last = without_escapes(text.rpartition("[+]")[2])
    assert last.splitlines()[0] == " Running 1/1"
    assert re.search(r" ✔ Container shop-web-1  Created  image changed +\d+\.\ds", last)
    assert "web 1/2 RUN make" in without_escapes(text)
    assert text.endswith("\x1b[?25h")  # the cursor is there again


def test_a_terminal_begins_anew_after_it_settled() -> None:
    display = TerminalDisplay(FakeTerminal())
    display.emit(CREATED)
    display.finish()
    display.print_line("in between")
    display.emit(Progress(kind="Network", name="n", status="Removed", state="done"))
    display.finish()
    assert isinstance(display.stream, FakeTerminal)
    _, _, after = without_escapes(display.stream.getvalue()).partition("in between\n")
    assert "Network n" in after
    assert "shop-web-1" not in after


def test_threads_that_tell_at_once_share_one_display(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Live] = []
    make = Live.__init__

    def slowly_made(live: Live, *words: Any, **more: Any) -> None:
        started.append(live)
        time.sleep(0.05)
        make(live, *words, **more)

    monkeypatch.setattr(Live, "__init__", slowly_made)
    display, together = TerminalDisplay(FakeTerminal()), threading.Barrier(4)

    def pull(number: int) -> None:
        together.wait(5)
        display.emit(Progress(kind="Image", name=f"image-{number}", status="Pulling"))

    threads = [threading.Thread(target=pull, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    display.finish()
    assert [live.is_started for live in started] == [False]
    assert isinstance(display.stream, FakeTerminal)
    last = without_escapes(display.stream.getvalue().rpartition("[+]")[2])
    assert sorted(re.findall(r"image-\d", last)) == [f"image-{number}" for number in range(4)]


@pytest.mark.parametrize(
    ("progress", "ansi", "is_terminal", "kind"),
    [
        ("auto", "auto", True, TerminalDisplay),
        ("auto", "auto", False, PlainDisplay),
        ("auto", "never", True, PlainDisplay),
        ("tty", "auto", False, TerminalDisplay),
        ("plain", "auto", True, PlainDisplay),
        ("json", "auto", True, JsonDisplay),
        ("quiet", "auto", True, ProgressDisplay),
    ],
)
def test_the_display_fits_what_standard_error_is(
    progress: str, ansi: str, is_terminal: bool, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", FakeTerminal() if is_terminal else io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COMPOSE_STATUS_STDOUT", raising=False)
    assert type(choose_display(progress, ansi)) is kind


def test_progress_goes_to_standard_output_where_a_variable_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMPOSE_STATUS_STDOUT", "1")
    assert choose_display("plain", "auto").stream is sys.stdout


def test_a_dry_run_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    display = choose_display("plain", "auto", dry_run=True)
    assert draw(display, CREATED) == " DRY-RUN MODE -  Container shop-web-1  Created\n"


@pytest.mark.parametrize(
    ("ansi", "no_color", "coloured"),
    [("auto", "", True), ("auto", "1", False), ("always", "1", True), ("never", "", False)],
)
def test_colours_are_for_terminals(
    ansi: str, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    assert is_coloured(FakeTerminal(), ansi) is coloured
    assert not is_coloured(io.StringIO())


def test_what_has_no_kind_is_printed_as_docker_does() -> None:
    skipped = Progress(kind="", name="web", status="", state="done", detail="Skipped")
    commit = Progress(kind="", name="web-1", status="Committed", detail="Commit web-1")
    assert draw(PlainDisplay(io.StringIO()), skipped, commit) == (
        " web Skipped \n web-1 Commit web-1 Committed\n"
    )
    lines = draw(JsonDisplay(io.StringIO()), skipped, commit).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "web", "text": "Skipped", "schema": 1},
        {"id": "web-1", "text": "Commit web-1", "status": "Committed", "schema": 1},
    ]


def test_how_far_a_pull_is_is_told_to_programs_only() -> None:
    far = Progress(kind="Image", name="a", status="Pulling", current=5, total=8)
    assert draw(PlainDisplay(io.StringIO()), far) == ""
    assert json.loads(draw(JsonDisplay(io.StringIO()), far)) == {
        "id": "Image a", "status": "Pulling", "current": 5, "total": 8, "percent": 62, "schema": 1,
    }  # fmt: skip
