"""The lines of a terminal are stable, and fit it."""

from cntnr_compose.cli.display.progress_table import ProgressTable
from cntnr_compose.core.events import Progress


def event(
    name: str, status: str = "Creating", state: str = "working", detail: str = ""
) -> Progress:
    return Progress(kind="Container", name=name, status=status, state=state, detail=detail)


def board(*events: Progress) -> ProgressTable:
    made = ProgressTable()
    for second, one in enumerate(events):
        made.update(one, float(second))
    return made


def names(made: ProgressTable, height: int = 0) -> list[str]:
    return [row.event.name for row in made.visible_rows(height)]


def test_lines_stay_in_the_order_in_which_things_first_moved() -> None:
    made = board(event("a"), event("b"), event("a", "Created", "done"), event("c"))
    assert names(made) == ["a", "b", "c"]
    assert made.header == "[+] Running 1/3"


def test_time_runs_until_a_thing_is_done_and_anew_when_it_moves_again() -> None:
    made = board(event("a"), event("b"), event("a", "Created", "done"))
    row = made.visible_rows(0)[0]
    assert row.elapsed(10) == 2
    made.update(event("a", "Starting"), 20)
    assert row.elapsed(21) == 1


def test_a_cause_stays_to_be_seen() -> None:
    made = board(event("a", "Recreate", detail="image changed"), event("a", "Recreated", "done"))
    assert made.row_text(made.visible_rows(0)[0], 80) == "Container a  Recreated  image changed"


def test_an_error_says_its_own_detail() -> None:
    made = board(event("a", "Starting", detail="x"), event("a", "Error", "error", "no such image"))
    assert made.row_text(made.visible_rows(0)[0], 80) == "Container a  Error  no such image"


def test_what_does_not_fit_the_width_is_cut() -> None:
    made = board(event("a", detail="configuration changed"))
    assert made.row_text(made.visible_rows(0)[0], 26) == "Container a  Creating  co…"


def test_what_is_done_is_hidden_first_where_the_terminal_is_low() -> None:
    done = [event(f"done-{n}", "Created", "done") for n in range(6)]
    made = board(*done, event("moves"), event("fails", "Error", "error"))
    assert names(made, 6) == ["done-4", "done-5", "moves", "fails"]
    assert made.hidden_count(6) == 4
    assert names(made, 4) == ["moves", "fails"]
    assert made.hidden_count(9) == 0
    assert len(names(made, 1)) == 1
