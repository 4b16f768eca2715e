"""docs/compatibility.md: what it calls the same is used by a scenario, and its exceptions are of docker."""

import ast

from contrib.compatibility import coverage, table


def test_what_is_called_the_same_is_used_by_a_scenario() -> None:
    assert table.uncovered() == []


def test_nothing_of_docker_is_missing_without_a_reason() -> None:
    for compared in table.COMPARISONS:
        rows = [row for row in table.rows(compared) if row.status == table.MISSING]
        assert [row for row in rows if not row.reason] == []
    assert [row for row in table.rows(table.OF_COMPOSE) if row.status == table.MISSING] == []


def test_reasons_are_of_verbs_and_flags_of_docker() -> None:
    for compared in table.COMPARISONS:
        names = {
            (row.path or "compose", row.words[-1] if row.flag else "verb")
            for row in table.rows(compared)
        }
        lines = compared.reasons.items()
        assert {(path, name) for path, reasons in lines for name in reasons} <= names


def read(source: str) -> set[tuple[str, str]]:
    module = coverage.Module(ast.parse(source))
    lines = module.command_lines(module.functions)
    return {use for line in lines for use in coverage.read_line(line) if use[1].startswith("--")}


def test_flags_count_where_a_call_of_their_command_has_them() -> None:
    assert read('run("cntnr", "compose", "ps", "-aq", "--status=dead", x)') == {
        ("compose ps", "--all"),
        ("compose ps", "--quiet"),
        ("compose ps", "--status"),
    }
    assert read('run("cntnr", "compose", "exec", "-T", "a", "ls", "--all")') == {
        ("compose exec", "--no-TTY"),
        ("compose exec", "--no-tty"),
    }
    assert read('run("cntnr", "compose", "logs", "--tail", "--follow")') == {
        ("compose logs", "--tail")
    }
    assert read('run("cntnr", "compose", x, "--quiet"); print("--quiet")') == set()


def test_flags_count_through_loops_constants_and_helpers() -> None:
    assert read("""
ALL = ("-a", "--quiet")
class Project:
    def compose(self, *words, **more):
        return self.user.run("cntnr", "compose", *words, **more)
def kill(project, *words, signal="INT"):
    project.compose("kill", "--signal", signal, *words)
@pytest.mark.parametrize(("verb", "word"), [("pull", "--quiet"), pytest.param("rm", "-f", id="x")])
def test(project, verb, word):
    project.compose("ps", *ALL)
    project.compose(verb, word)
    kill(project, "--remove-orphans")
    for verb in ("up", "down"):
        project.compose(verb, *"--dry-run a".split())
""") == {
        ("compose ps", "--all"),
        ("compose ps", "--quiet"),
        ("compose pull", "--quiet"),
        ("compose rm", "--force"),
        ("compose kill", "--signal"),
        ("compose kill", "--remove-orphans"),
        ("compose up", "--dry-run"),
        ("compose down", "--dry-run"),
    }
