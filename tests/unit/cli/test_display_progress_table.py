"""The lines of a terminal are stable, and fit it."""

from cntnr_compose.cli.display.progress_table import ProgressTable
from cntnr_compose.core.events import Progress


def event(
    name: str, status: str = "Creating", state: str = "working", detail: str = ""
) -> Progress:
    return Progress(kind="Container", name=name, status=status, state=state, detail=detail)


def progress_table(*events: Progress) -> ProgressTable:
    table = ProgressTable()
    for second, event in enumerate(events):
        table.update(event, float(second))
    return table


def names(table: ProgressTable, height: int = 0) -> list[str]:
    return [row.event.name for row in table.visible_rows(height)]


def test_lines_stay_in_the_order_in_which_things_first_moved() -> None:
    table = progress_table(event("a"), event("b"), event("a", "Created", "done"), event("c"))
    assert names(table) == ["a", "b", "c"]
    assert table.header == "[+] Running 1/3"


def test_time_runs_until_a_thing_is_done_and_anew_when_it_moves_again() -> None:
    table = progress_table(event("a"), event("b"), event("a", "Created", "done"))
    row = table.visible_rows(0)[0]
    assert row.elapsed(10) == 2
    table.update(event("a", "Starting"), 20)
    assert row.elapsed(21) == 1


def test_a_cause_stays_to_be_seen() -> None:
    table = progress_table(
        event("a", "Recreate", detail="image changed"), event("a", "Recreated", "done")
    )
    assert table.row_text(table.visible_rows(0)[0], 80) == "Container a  Recreated  image changed"


def test_what_has_no_kind_has_its_detail_first() -> None:
    skipped = Progress(kind="", name="web", status="", state="done", detail="Skipped")
    commit = Progress(kind="", name="p-web-1", status="Committing", detail="Commit p-web-1")
    table = progress_table(skipped, commit)
    assert [table.row_text(row, 80) for row in table.visible_rows(0)] == [
        "web      Skipped", "p-web-1  Commit p-web-1  Committing",
    ]  # fmt: skip


def test_an_error_says_its_own_detail() -> None:
    table = progress_table(
        event("a", "Starting", detail="x"), event("a", "Error", "error", "no such image")
    )
    assert table.row_text(table.visible_rows(0)[0], 80) == "Container a  Error  no such image"


def test_what_does_not_fit_the_width_is_cut() -> None:
    table = progress_table(event("a", detail="configuration changed"))
    assert table.row_text(table.visible_rows(0)[0], 26) == "Container a  Creating  co…"


def test_what_is_done_is_hidden_first_where_the_terminal_is_low() -> None:
    done = [event(f"done-{n}", "Created", "done") for n in range(6)]
    table = progress_table(*done, event("moves"), event("fails", "Error", "error"))
    assert names(table, 6) == ["done-4", "done-5", "moves", "fails"]
    assert table.hidden_count(6) == 4
    assert names(table, 4) == ["moves", "fails"]
    assert table.hidden_count(9) == 0
    assert len(names(table, 1)) == 1


def test_how_far_a_pull_is_stands_behind_it_until_it_is_done() -> None:
    def pull(current: int, total: int, state: str = "working") -> Progress:
        return Progress(
            kind="Image", name="a", status="Pulling", state=state, current=current, total=total
        )

    def text(*events: Progress) -> str:
        table = progress_table(*events)
        return table.row_text(table.visible_rows(0)[0], 80)

    assert text(pull(0, 0)) == "Image a  Pulling"
    assert text(pull(0, 63_100_000)) == "Image a  Pulling  [          ] 0.0kB / 63.1MB"
    assert text(pull(30, 100)) == "Image a  Pulling  [⣿⣿⣿       ] 0.0kB / 0.1kB"
    assert text(pull(12_300_000, 12_300_000)) == "Image a  Pulling  [⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿] 12.3MB / 12.3MB"
    assert text(pull(5, 9), pull(9, 9, "done")) == "Image a  Pulling"
