"""Verbs: options become a plan or a look at files, with a stand-in for the engine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.builder import ensure_images as provide
from cntnr_compose.client import exec as child
from cntnr_compose.core.events import Progress
from cntnr_compose.model.image import Image
from cntnr_compose.model.observed import PublishedPort
from tests.unit.cli.conftest import FakeEngine, Ran
from tests.unit.cli.making import container

Run = Callable[..., Ran]
FILE = """\
name: shop
services:
  web:
    image: busybox
    depends_on: [db]
  db:
    image: busybox
"""


@pytest.fixture
def shop(tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A project in the folder, whose images are there."""
    (tmp_path / "compose.yaml").write_text(FILE)
    monkeypatch.setattr(provide, "ensure_images", lambda *_, **__: {"busybox": "sha256:1"})
    return engine


def both(**more: object) -> list:  # type: ignore[type-arg]
    return [container(name, **more) for name in ("db", "web")]  # type: ignore[arg-type]


# Looking


def test_ps_shows_what_runs_and_with_all_the_rest(compose: Run, shop: FakeEngine) -> None:
    shop.containers = [container("web"), container("db", state="exited", exit_code=3)]
    ran = compose("ps")
    assert ran.code == 0
    header, line = ran.out.splitlines()
    assert header.split() == ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]
    assert line.startswith('shop-web-1   busybox   "sleep 100"   web ')
    assert len(compose("ps", "-a").out.splitlines()) == 3
    assert compose("ps", "-aq", "db").out == f"{shop.containers[1].record.id}\n"
    assert compose("ps", "--status", "exited", "--services").out == "db\n"
    assert (
        compose("ps", "--filter", "status=running", "--format", "{{.Name}}").out == "shop-web-1\n"
    )
    assert shop.said == []  # nobody was asked


def test_ps_is_one_object_a_line(compose: Run, shop: FakeEngine) -> None:
    shop.containers = both()
    rows = [json.loads(line) for line in compose("ps", "--format", "json").out.splitlines()]
    assert [row["Name"] for row in rows] == ["shop-db-1", "shop-web-1"]


def test_ps_hides_one_offs_and_on_demand_what_is_not_in_the_file(
    compose: Run, shop: FakeEngine
) -> None:
    shop.containers = [
        container("web", name="shop-web-run-1", oneoff=True),
        container("old"),
        container("db"),
    ]
    assert compose("ps", "--services").out == "db\nold\n"
    assert compose("ps", "--services", "--orphans=false").out == "db\n"
    assert "shop-web-run-1" in compose("ps", "-a").out


def test_ps_knows_the_file_s_services_and_refuses_others(compose: Run, shop: FakeEngine) -> None:
    assert compose("ps", "web").code == 0
    ran = compose("ps", "cache")
    assert (ran.code, ran.err) == (1, "error: no such service: cache\n")
    assert compose("ps", "--filter", "name=x").err.startswith('error: cannot filter by "name=x"')
    assert compose("ps", "--format", "xml").err.startswith('error: unsupported format "xml"')


def test_verbs_that_look_need_no_file_where_a_name_is_given(
    compose: Run, engine: FakeEngine
) -> None:
    engine.containers = [
        container("web", published=(PublishedPort(url="::", target=80, published=81),))
    ]
    assert "shop-web-1" in compose("-p", "shop", "ps").out
    assert compose("port", "-p", "shop", "web", "80").out == "[::]:81\n"
    assert "shop-web-1" in compose("-p", "shop", "images").out


def test_ls_counts_containers_of_each_project(compose: Run, engine: FakeEngine) -> None:
    engine.containers = [
        container("web"),
        container("web", 2),
        container("db", state="exited"),
        container("x", project="other", state="exited"),
    ]
    assert [line.split() for line in compose("ls").out.splitlines()] == [
        ["NAME", "STATUS", "CONFIG", "FILES"],
        ["shop", "running(2)"],
    ]
    assert json.loads(compose("ls", "-a", "--format", "json").out) == [
        {"Name": "other", "Status": "exited(1)", "ConfigFiles": ""},
        {"Name": "shop", "Status": "exited(1), running(2)", "ConfigFiles": ""},
    ]
    assert compose("ls", "-aq", "--filter", "name=^o").out == "other\n"
    assert compose("ls", "--filter", "x").err.startswith('error: cannot filter by "x"')


def test_a_port_that_is_not_published_is_told_with_those_that_are(
    compose: Run, shop: FakeEngine
) -> None:
    shop.containers = [
        container("web", published=(PublishedPort(url="1.2.3.4", target=80, published=8),))
    ]
    ran = compose("port", "--protocol", "udp", "web", "80")
    assert ran.code == 1
    assert ran.err == (
        "error: no port 80/udp for container shop-web-1\nhint: published are 1.2.3.4:8->80/tcp\n"
    )
    assert compose("port", "db", "80").err == 'error: service "db" is not running\n'


def test_images_are_told_for_each_container(
    compose: Run, shop: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image(
        id="sha256:" + "ab" * 32,
        ref="docker.io/library/busybox:latest",
        manifest="sha256:2",
        size=2_000_000,
        created="2026-11-25T18:35:56Z",
        architecture="amd64",
    )
    monkeypatch.setattr("cntnr_compose.images.store.ImageStore.list", lambda _self: (image,))
    shop.containers = [container("web", image_id=image.id), container("db", image_id="sha256:cd")]
    rows = {
        row["ContainerName"]: row for row in json.loads(compose("images", "--format", "json").out)
    }
    assert list(rows["shop-web-1"]) == [
        "ID", "ContainerName", "Repository", "Tag", "Platform", "Size", "Created", "LastTagTime",
    ]  # fmt: skip
    assert rows["shop-web-1"]["Repository"] == "busybox"
    assert rows["shop-web-1"]["Platform"] == "linux/amd64"
    assert rows["shop-db-1"]["Tag"] == "<none>"  # its image has another name now, or none
    assert compose("images", "-q", "web").out == "ab" * 32 + "\n"
    line = next(one for one in compose("images").out.splitlines() if "web" in one)
    assert line.split()[:6] == ["shop-web-1", "busybox", "latest", "linux/amd64", "ab" * 6, "2MB"]


# Changing


def test_up_makes_a_plan_and_has_it_carried_out(compose: Run, shop: FakeEngine) -> None:
    shop.events = [Progress(kind="Container", name="shop-db-1", status="Started", state="done")]
    ran = compose("up", "-d")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == " Container shop-db-1  Started\n"
    assert shop.said == ["hurry", "connect shop", "begin up", "hung up"]
    (plan,) = shop.plans
    assert "start container shop-web-1" in plan
    (project,) = shop.projects
    assert project is not None
    assert set(project.services) == {"web", "db"}


def test_up_of_one_service_brings_up_what_it_needs(compose: Run, shop: FakeEngine) -> None:
    compose("up", "-d", "db")
    assert "shop-web-1" not in shop.plans[-1]
    compose("up", "-d", "web", "--no-deps", "--scale", "web=2")
    assert "shop-db-1" not in shop.plans[-1]
    assert "start container shop-web-2" in shop.plans[-1]


def test_a_dry_run_prints_the_plan_and_asks_nobody(
    compose: Run, shop: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cntnr_compose.images.store.ImageStore.list", lambda _self: ())
    printed = compose("plan").out
    assert printed.splitlines()[0] == "0 pull image busybox: not found"
    assert "1 create network shop_default: not found" in printed
    for words in (["--dry-run", "up"], ["up", "-d", "--dry-run"]):
        assert compose(*words).out == printed
    assert shop.said == []


def test_create_and_scale_are_ups_of_a_kind(compose: Run, shop: FakeEngine) -> None:
    compose("create")
    assert "create container shop-web-1" in shop.plans[-1]
    assert "start" not in shop.plans[-1]
    compose("scale", "db=3")
    assert "start container shop-db-3" in shop.plans[-1]
    assert "shop-web-1" not in shop.plans[-1]
    assert compose("scale", "db").err.startswith('error: invalid --scale option "db"')


def test_an_option_without_effect_is_said_to_have_none(compose: Run, shop: FakeEngine) -> None:
    assert "--parallel has no effect" in compose("--parallel", "2", "up", "-d").err


def test_contradictions_are_found_before_anything_is_begun(compose: Run, shop: FakeEngine) -> None:
    ran = compose("up", "-d", "--build", "--no-build")
    assert (ran.code, ran.err) == (1, "error: --build and --no-build are incompatible\n")
    assert shop.said == []


def test_orphans_are_warned_of_once(compose: Run, shop: FakeEngine) -> None:
    shop.containers = [container("old")]
    ran = compose("up", "-d")
    assert ran.err.count("Found orphan containers ([shop-old-1]) for this project") == 1
    compose("up", "-d", "--remove-orphans")
    assert "remove container shop-old-1" in shop.plans[-1]


def test_down_removes_and_lets_the_supervisor_go(compose: Run, shop: FakeEngine) -> None:
    shop.containers = both()
    assert compose("down", "-t", "0").code == 0
    assert shop.said == ["connect shop", "begin down", "end", "quit", "hung up"]
    assert "remove container shop-web-1" in shop.plans[-1]


def test_down_starts_nothing_where_nothing_is(compose: Run, shop: FakeEngine) -> None:
    ran = compose("down")
    assert (ran.code, ran.out) == (0, "")
    assert 'No resource found to remove for project \\"shop\\".' in ran.err
    assert shop.said == []
    compose("down", "-v")  # volumes are not seen from outside
    assert "begin down" in shop.said


def test_down_works_by_name_alone(compose: Run, engine: FakeEngine) -> None:
    engine.containers = both()
    assert compose("-p", "shop", "down").code == 0
    assert "remove container shop-db-1" in engine.plans[-1]


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["stop", "-t", "3", "web"], "stop container shop-web-1"),
        (["restart", "--no-deps", "web"], "start container shop-web-1"),
        (["kill", "-s", "hup", "web"], "kill container shop-web-1 with SIGHUP"),
        (["kill", "-s", "9"], "kill container shop-db-1 with SIGKILL"),
        (["rm", "-f", "-s", "web"], "remove container shop-web-1"),
    ],
)
def test_containers_are_changed_with_a_file_or_without(
    compose: Run, shop: FakeEngine, tmp_path: Path, words: list[str], step: str
) -> None:
    shop.containers = both()
    assert compose(*words).code == 0
    assert step in shop.plans[-1]
    (tmp_path / "compose.yaml").unlink()
    assert compose("-p", "shop", *words).code == 0
    assert step in shop.plans[-1]


def test_start_starts_what_is_stopped(compose: Run, shop: FakeEngine) -> None:
    shop.containers = both(state="exited")
    assert compose("start").code == 0
    assert "start container shop-web-1" in shop.plans[-1]


@pytest.mark.parametrize("verb", ["stop", "kill", "restart"])
def test_nothing_to_do_starts_nothing(compose: Run, shop: FakeEngine, verb: str) -> None:
    assert compose(verb).code == 0
    assert shop.said == []


def test_an_unknown_service_or_signal_is_refused(compose: Run, shop: FakeEngine) -> None:
    shop.containers = both()
    for verb in ("stop", "start", "restart", "kill", "rm", "up", "create", "logs", "pull", "build"):
        ran = compose(verb, "cache")
        assert ran.code == 1, verb
        assert "no such service: cache" in ran.err, verb
    assert compose("kill", "-s", "FOO").err == "error: invalid signal: FOO\n"
    assert compose("kill", "-s", "99").err == "error: invalid signal: 99\n"
    assert shop.plans == []


def test_rm_asks_and_does_nothing_without_an_answer(
    compose: Run, shop: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.containers = both(state="exited")
    answers = iter(["n", "y"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: next(answers))
    assert compose("rm").code == 0
    assert shop.plans == []
    compose("rm", "web")
    assert "remove container shop-web-1" in shop.plans[-1]


def test_rm_leaves_what_runs(compose: Run, shop: FakeEngine) -> None:
    shop.containers = both()
    ran = compose("rm", "-f")
    assert (ran.code, ran.err) == (0, "No stopped containers\n")


# Programs in containers


@pytest.fixture
def ran_argv(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    calls: list[tuple[object, ...]] = []

    def fake(argv: list[str], program: str, name: str, *, detach: bool = False) -> int:
        calls.append((argv, program, name, detach))
        return 9

    monkeypatch.setattr(child, "run_exec", fake)
    return calls


def test_exec_runs_what_is_laid_out_and_ends_as_it_does(
    compose: Run, shop: FakeEngine, ran_argv: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "m")
    monkeypatch.delenv("NOBODYS", raising=False)
    shop.containers = [container("web"), container("web", 2)]
    words = ["-u", "1", "-w", "/x", "-e", "A=b=c", "-e", "MINE", "-e", "NOBODYS", "--index", "2"]
    assert compose("exec", *words, "web", "sh", "-c", "x", "--", "-e").code == 9
    (asked,) = shop.execs
    assert asked.container == "shop-web-2"
    assert asked.command == ("sh", "-c", "x", "--", "-e")
    assert asked.environment == {"A": "b=c", "MINE": "m"}
    assert (asked.user, asked.working_dir, asked.tty, asked.detach) == ("1", "/x", False, False)
    assert ran_argv == [(["laid", "out"], "sh", "shop-web-2", False)]


@pytest.mark.parametrize(
    ("words", "tty"), [([], True), (["-T"], False), (["-d"], False), (["-it"], True)]
)
def test_exec_has_a_terminal_where_ours_is_one(
    compose: Run,
    shop: FakeEngine,
    ran_argv: list[object],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    tty: bool,
) -> None:
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda: True)
    shop.containers = [container("web")]
    compose("exec", *words, "web", "sh")
    assert shop.execs[-1].tty is tty


def test_exec_needs_a_container_that_runs(compose: Run, shop: FakeEngine) -> None:
    shop.containers = [container("web", state="exited")]
    for name in ("web", "nobody"):
        ran = compose("exec", name, "sh")
        assert (ran.code, ran.err) == (1, f'error: service "{name}" is not running\n')


# Images


def test_pull_asks_for_each_image_once_and_says_why_not(
    compose: Run, tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n"
        "  a: {image: one}\n  b: {image: one}\n"
        "  c: {build: .}\n  d: {image: two, build: .}\n  e: {image: three, pull_policy: never}\n"
    )
    pulled: list[tuple[list[str], list[str]]] = []
    monkeypatch.setattr(
        provide,
        "pull_images",
        lambda wanted, *, optional, **_: pulled.append(
            ([one.name for one in wanted], [one.name for one in optional])
        ),
    )
    ran = compose("pull")
    assert ran.code == 0
    assert pulled == [(["one", "two"], ["two"])]
    assert " Image shop-c  Skipped (No image to be pulled)\n" in ran.err
    assert " Image three  Skipped (pull policy is never)\n" in ran.err
    compose("pull", "--ignore-buildable", "--ignore-pull-failures", "a", "d")
    assert pulled[-1] == (["one"], ["one"])
    assert compose("pull", "-q").err == ""
    assert compose("pull", "--dry-run").out == "pull image one\npull image two\n"


def test_build_builds_what_has_a_build(
    compose: Run, tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n  a: {build: ., depends_on: [b]}\n  b: {build: .}\n  c: {image: x}\n"
    )
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "cntnr_compose.builder.build.build_images",
        lambda _project, names, **more: asked.append(
            (names, more["no_cache"], more["pull"], more["args"])
        ),
    )
    compose("build", "--no-cache", "--pull", "--build-arg", "V=1")
    assert asked[-1] == (("a", "b"), True, True, {"V": "1"})
    compose("build", "a")
    assert asked[-1][0] == ("a",)
    compose("build", "--with-dependencies", "a")
    assert asked[-1][0] == ("a", "b")
    assert "No services to build" in compose("build", "c").err
    assert compose("build", "--ssh", "default").err.startswith(
        "error: cannot do `cntnr compose build --ssh`"
    )


def test_errors_of_the_engine_end_the_verb(
    compose: Run, shop: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cntnr_compose.core.errors import RemoteError

    def fail(*_: object, **__: object) -> None:
        raise RemoteError("ContainerFailed", "cannot start container x", "look at it", 127)

    monkeypatch.setattr("tests.unit.cli.conftest.FakeClient.execute", fail)
    ran = compose("up", "-d")
    assert ran.code == 1  # 127 is for who runs a program
    assert ran.err == "error: cannot start container x\nhint: look at it\n"


def test_a_file_that_is_wrong_is_told_with_its_place(compose: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: x\n    portz: []\n")
    ran = compose("up", "-d")
    assert ran.code == 1
    assert "compose.yaml:4:5" in ran.err
    assert "portz" in ran.err
