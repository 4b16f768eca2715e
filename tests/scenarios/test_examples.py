"""Each example is brought up as its README says, answers, keeps its data, and leaves nothing."""

import urllib.parse
import urllib.request
from collections.abc import Callable

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import ROOT, Project, free_port, http_answers, wait_until

Leftovers = Callable[[], list[str]]


def prepare(project: Project) -> Project:
    """Run the example's prepare.sh, as its README says."""
    maker = {"CNTNR_FIXTURE_MAKER": str(project.user.tree / "contrib/fixtures/make.py")}
    project.user.run("./prepare.sh", cwd=project.folder, env=maker, timeout=300).ok()
    return project


def test_hello_answers_and_counts_across_down(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    hello = prepare(make_project(example="hello"))
    port = free_port()
    env = {"HELLO_PORT": str(port)}
    page = f"http://127.0.0.1:{port}/"

    hello.up("--wait", env=env)
    assert "Visits so far: <b>1</b>" in http_answers(page)
    assert hello.states() == {"hello-api-1": "running", "hello-web-1": "running"}
    assert hello.published("web", 8080) == f"0.0.0.0:{port}"

    hello.down(env=env)
    hello.up("--wait", env=env)
    assert "Visits so far: <b>2</b>" in http_answers(page)

    hello.down("-v", env=env)
    assert leftovers() == []
    hello.up("--wait", env=env)
    assert "Visits so far: <b>1</b>" in http_answers(page)
    hello.down("-v", env=env)
    assert leftovers() == []


def sign(page: str, entry: str) -> None:
    form = urllib.parse.urlencode({"entry": entry}).encode()
    with urllib.request.urlopen(page, data=form, timeout=10) as answer:
        assert answer.status == 200


def test_guestbook_keeps_entries_until_its_volume_goes(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    book = prepare(make_project(example="guestbook"))
    port = free_port()
    env = {"GUESTBOOK_PORT": str(port)}
    page = f"http://127.0.0.1:{port}/"

    book.up("--wait", env=env, timeout=300)
    sign(page, "Ann was <here>")
    assert "<li>Ann was &lt;here&gt;</li>" in http_answers(page)
    assert "Views: " in http_answers(page)
    # The database is for the application alone.
    assert book.exec("proxy", "getent", "hosts", "db", env=env).returncode != 0

    book.down(env=env)
    book.up("--wait", env=env)
    assert "Ann was" in http_answers(page)

    book.down("-v", env=env)
    assert leftovers() == []
    book.up("--wait", env=env)
    assert "Ann was" not in http_answers(page)
    book.down("-v", env=env)
    assert leftovers() == []


def test_batch_runs_its_job_once_and_shares_the_work(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    batch = prepare(make_project(example="batch"))
    batch.up()
    rows = {row["Name"]: row for row in batch.ps()}
    assert (rows["batch-prepare-1"]["State"], rows["batch-prepare-1"]["ExitCode"]) == ("exited", 0)
    workers = {f"batch-worker-{number}" for number in (1, 2, 3)}
    assert set(rows) == workers | {"batch-prepare-1"}  # the profile is left out

    def report() -> list[str]:
        return batch.compose("run", "--rm", "report").ok().stdout.splitlines()

    wait_until(lambda: batch.logs_count("job ") == 12, what="all jobs are done")
    assert report() == ["sum of squares: 650", "workers that answer: 3"]

    batch.down()
    alone = batch.compose("run", "--rm", "--no-deps", "report").ok()
    assert alone.stdout.splitlines()[0] == "sum of squares: 650"

    batch.down("-v")
    assert leftovers() == []


def test_every_example_is_tested_here() -> None:
    text = (ROOT / "tests/scenarios/test_examples.py").read_text()
    for folder in (ROOT / "examples/compose").iterdir():
        if folder.is_dir():
            assert f'example="{folder.name}"' in text, f"{folder.name} has no test"
