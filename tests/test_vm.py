"""The harness of `make vm-test`, without a machine: lists, scripts, the table, rows over a fake ssh."""

import itertools
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from contrib.vm import table
from contrib.vm.image import read_packages
from contrib.vm.machine import Machine
from contrib.vm.qemu import Qemu, wait_for_end
from contrib.vm.rows import FILES, Person, Row, Skipped, file_of, load_rows, require
from contrib.vm.run import PAGE, choose, read_arguments, state_of_tree, try_row, try_rows
from contrib.vm.settings import HERE, ROOT, SUITES, Settings
from tests.fakes.programs import Programs

REASON = "no such thing here"
# A login is its socket; a command runs here, and says so.
SSH = r"""
for word in "$@"; do
  case $word in ControlPath=*) socket=${word#ControlPath=} ;; esac
done
case "$*" in
  *"-O check"*) [ -e "$socket" ] ;;
  *"-O exit"*) rm -f "$socket" ;;
  *-fNM*) touch "$socket" ;;
  *) for command; do :; done; exec sh -c "$command" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    programs = Programs(tmp_path / "bin")
    programs.add("ssh", SSH)
    programs.enter(monkeypatch)
    folder = tmp_path / "bookworm"
    folder.mkdir()
    return Machine(Settings("bookworm", folder, 1, 512, 1, "tcg", "10.0.2.0/24"))


def make_row(check: Callable[[Person], None]) -> Row:
    return Row("row", "dev", "it holds", check)


def test_packages_of_the_set_up_are_in_the_image_or_left_out_on_purpose() -> None:
    script = (ROOT / "contrib/setup/install.sh").read_text()
    listing = script.partition("<<'LIST'\n")[2].partition("\nLIST\n")[0]
    set_up = {line.split()[0] for line in listing.splitlines()}
    installed, left_out = read_packages((HERE / "packages.txt").read_text())
    assert len(set_up) > 20
    assert set_up - set(installed) == set(left_out)


@pytest.mark.parametrize("script", sorted(HERE.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_shell_that_stops_at_the_first_error(script: Path) -> None:
    checked = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    text = script.read_text()
    assert text.startswith("#!/bin/bash\n# ")
    assert "\nset -euo pipefail\n" in text
    assert script.stat().st_mode & 0o111
    bare = re.sub(r"(?m)'[^']*'|\"[^\"]*\"|^#.*$", "", text)
    assert not re.search(r"(?<!=)\$|`", bare), "quote what is expanded"


def test_every_row_is_listed_under_a_user_who_exists_and_says_what_it_promises() -> None:
    rows = load_rows()
    assert {path.stem for path in (HERE / "scenarios").glob("*.py")} == set(FILES)
    assert [name for name, _ in itertools.groupby(map(file_of, rows.values()))] == list(FILES)
    script = (HERE / "customize.sh").read_text()
    users = re.search(r"for user in ([a-z ]+);", script)
    assert users
    for row in rows.values():
        assert row.user in {*users[1].split(), "root"}
        assert re.fullmatch(r"[a-z0-9-]+", row.name)
        assert len(row.promise) > 15
        assert not row.promise.endswith(".")
        assert row.check.__doc__


def test_rows_are_chosen_by_pattern() -> None:
    rows = load_rows()
    assert [row.name for row in choose(rows, ["doctor-r*"])] == ["doctor-root"]
    assert len(choose(rows, [])) == len(rows)
    with pytest.raises(SystemExit, match="no row is called nothing"):
        choose(rows, ["nothing"])


def test_a_row_runs_over_ssh(machine: Machine, tmp_path: Path) -> None:
    target = tmp_path / "a folder" / "file"

    def check(person: Person) -> None:
        person.machine.put(person.user, str(target), b"content")
        require(person.ok(f"cat '{target}'") == "content", "it is not there")
        require(person.run("exit 7").status == 7, "the status is lost")
        assert person.run("sleep 20", limit=0.2).status == 124

    assert try_row(machine, make_row(check)) == "ok"
    machine.off()
    assert not (machine.settings.folder / "login-dev").exists()


def test_a_row_tells_why_it_fails(machine: Machine) -> None:
    def fail(person: Person) -> None:
        person.ok("echo out; echo err >&2; exit 3")

    def skip(person: Person) -> None:
        raise Skipped(REASON)

    def break_down(person: Person) -> None:
        {}["key"]

    failed = "fails: `echo out; echo err >&2; exit 3`: status 3: err / out"
    assert try_row(machine, make_row(fail)) == failed
    assert try_row(machine, make_row(skip)) == f"skipped: {REASON}"
    assert try_row(machine, make_row(break_down)) == "fails: the row itself: KeyError: 'key'"


def test_checks_end_with_the_machine(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [make_row(lambda person: None), make_row(lambda person: None)]
    findings = list(try_rows(machine, rows, state_of_tree()))
    assert [finding.result for finding in findings] == ["ok"]
    assert "the machine has ended" in capsys.readouterr().err


@pytest.mark.parametrize(
    "result",
    ["ok", "fails: a | b \\ c\nd\x1b[31m red\x1b[0m \x07", "skipped: x" * 200],
    ids=["plain", "special", "long"],
)
def test_the_table_is_read_as_it_was_written(result: str) -> None:
    finding = table.Finding("a-row", "dev", "`up` | `down`", result, "2026-01-02")
    written = table.update("# Page\n\nWords.\n", "trixie", "Parts.", [finding], ["a-row"])
    assert all(line.isprintable() for line in written.splitlines())
    head, sections = table.split(written)
    assert head == "# Page\n\nWords.\n\n"
    section = table.parse_section(sections["trixie"])
    assert section.versions == "Parts."
    assert section.findings["a-row"].promise == "`up` | `down`"
    assert section.findings["a-row"].result == table.read_cell(table.cell(result))
    again = table.update(written, "trixie", "Parts.", section.findings.values(), ["a-row"])
    assert again == written


def test_a_run_of_some_rows_keeps_the_others() -> None:
    def find(name: str, result: str) -> table.Finding:
        return table.Finding(name, "dev", "promise", result, "2026-01-02")

    page = table.update("# Page\n", "bookworm", "Old.", [find("a", "ok"), find("b", "ok")], "abc")
    page = table.update(page, "trixie", "Other.", [find("a", "ok")], "abc")
    page = table.update(page, "bookworm", "New.", [find("c", "ok"), find("a", "fails: x")], "ac")
    _, sections = table.split(page)
    section = table.parse_section(sections["bookworm"])
    assert section.versions == "New."
    results = {name: finding.result for name, finding in section.findings.items()}
    assert results == {"a": "fails: x", "c": "ok"}
    assert list(sections) == ["bookworm", "trixie"]
    assert "\n\n\n" not in page


def test_the_parts_of_all_suites_stand_in_one_table() -> None:
    def find(name: str, result: str, tried: str) -> table.Finding:
        return table.Finding(name, "dev", "promise", result, tried)

    here = "Debian GNU/Linux 12 (bookworm), kernel 6.1.0-57-cloud-amd64, Python 3.11.2."
    there = "Debian GNU/Linux forky/sid, kernel 7.2.13, Python 3.14.8."
    page = "# Page\n\n## By hand\n\nWords.\n"
    rows = [find("a", "ok", "2026-01-02 abc"), find("b", "fails: x", "2026-01-01")]
    page = table.update(page, "bookworm", f"{here} runc 1.1.5+ds1-1, skopeo 1.9.", rows, "ab")
    page = table.update(page, "sid", f"{there} runc 1.3, cntnr version 0.1.0.", [], "ab")
    assert page.index("Words.") < page.index("## Parts") < page.index("## Debian 12")
    [parts] = re.findall(r"## Parts\n\n(.*?)\n\n", page, re.DOTALL)
    assert parts.splitlines() == [
        "| part | Debian 12 (bookworm) | Debian unstable (sid) |",
        "| --- | --- | --- |",
        "| kernel | 6.1.0-57-cloud-amd64 | 7.2.13 |",
        "| Python | 3.11.2 | 3.14.8 |",
        "| runc | 1.1.5+ds1-1 | 1.3 |",
        "| skopeo | 1.9 |  |",
        "| cntnr |  | 0.1.0 |",
        "| last run | 2026-01-02 abc: 1 of 2 rows hold | never: 0 of 0 rows hold |",
    ]


def test_the_page_has_rows_that_exist() -> None:
    _, sections = table.split(PAGE.read_text())
    for text in sections.values():
        findings = table.parse_section(text).findings
        assert findings
        assert set(findings) <= set(load_rows())
        for finding in findings.values():
            assert re.match(r"ok$|(fails|skipped): .", finding.result)
            assert re.fullmatch(r"\d{4}-\d\d-\d\d( [0-9a-f]{8})?", finding.tried)


@pytest.mark.parametrize("suite", SUITES)
def test_qemu_writes_what_the_machine_syncs_and_listens_here_only(
    suite: str, tmp_path: Path
) -> None:
    words = Qemu(Settings(suite, tmp_path, 2222, 512, 1, "tcg", "10.0.2.0/24")).arguments()
    drive = words[words.index("-drive") + 1]
    assert "cache=writeback" in drive
    assert "hostfwd=tcp:127.0.0.1:2222-:22" in words[words.index("-nic") + 1]
    assert words[words.index("-cpu") + 1] == "max,-erms,-fsrm"


def test_options_stand_anywhere() -> None:
    options = read_arguments(["trixie", "--keep", "exec", "limits-*"])
    assert (options.suite, options.rows, options.keep) == ("trixie", ["exec", "limits-*"], True)
    assert read_arguments([]).suite == "bookworm"


def test_the_end_of_a_machine_is_waited_for() -> None:
    with subprocess.Popen(["sleep", "0.3"]) as process:
        wait_for_end(process.pid, 30)
        assert not Path(f"/proc/{process.pid}").exists()
