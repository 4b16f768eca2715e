"""Options of `run` are checked and converted."""

from pathlib import Path

import pytest

from cntnr_compose.cli.flows.run_arguments import NoTerminal, RunArguments
from cntnr_compose.cli.flows.shared_arguments import BadOption, BadPullPolicy, Incompatible
from cntnr_compose.model.service import Mount, Port
from tests.unit.cli.factories import project, service

SHOP = project(service("web"))


def run_arguments(**more: object) -> RunArguments:
    return RunArguments(service="web", **more)  # type: ignore[arg-type]


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


def test_options_become_the_plan_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_terminal: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINE", "m")
    monkeypatch.delenv("NOBODYS", raising=False)
    (tmp_path / "vars.env").write_text("A=1\nB=from ${MINE}\n")
    options = run_arguments(
        command=("sh",),
        entrypoint="sh -c 'a b'",
        env=("B=2", "MINE", "NOBODYS"),
        env_from_file=("vars.env",),
        label=("x=y=z",),
        volume=("./d:/d:ro", "data:/e"),
        publish=("127.0.0.1:8080-8081:80-81/udp",),
        no_deps=True,
        interactive=False,
    ).to_run_options(SHOP)
    assert len(options.slug) == 64
    assert options.entrypoint == ("sh", "-c", "a b")
    assert options.environment == {"A": "1", "B": "2", "MINE": "m", "NOBODYS": None}
    assert options.labels == {"x": "y=z"}
    bind, named = options.volumes
    assert (bind.type, bind.source, bind.target, bind.read_only) == (
        "bind",
        str(tmp_path / "d"),
        "/d",
        True,
    )
    assert named == Mount(type="volume", source="data", target="/e")
    assert options.ports == tuple(
        Port(target=n, published=str(8000 + n), host_ip="127.0.0.1", protocol="udp")
        for n in (80, 81)
    )
    assert (options.dependencies, options.tty, options.interactive) == (False, False, False)


def test_an_empty_entrypoint_is_none_at_all() -> None:
    assert run_arguments(entrypoint="").to_run_options(SHOP).entrypoint == ()
    assert run_arguments().to_run_options(SHOP).entrypoint is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"label": ("x",)}, 'invalid argument "x" for --label: it should be NAME=VALUE'),
        ({"publish": ("99999",)}, 'invalid argument "99999" for --publish: '),
        ({"volume": ("a/../b:/c",)}, 'invalid argument "a/../b:/c" for --volume: a folder begins'),
        ({"volume": ("/a:/b:ro:x",)}, 'invalid argument "/a:/b:ro:x" for --volume: '),
        ({"entrypoint": "sh 'x"}, 'invalid argument "sh \'x" for --entrypoint: '),
    ],
)
def test_what_cannot_be_read_is_named(more: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadOption) as raised:
        run_arguments(**more).to_run_options(SHOP)
    assert str(raised.value).startswith(sentence)


def test_contradictions_are_refused(no_terminal: None) -> None:
    with pytest.raises(Incompatible, match="--service-ports and --publish are incompatible"):
        run_arguments(service_ports=True, publish=("80",)).check()
    with pytest.raises(BadPullPolicy):
        run_arguments(pull="often").check()
    with pytest.raises(NoTerminal, match="the input device is not a TTY"):
        run_arguments(tty=True).check()
    run_arguments(tty=True, detach=True).check()


@pytest.mark.parametrize(
    ("stdin", "stdout", "no_tty", "tty"),
    [
        (True, True, False, True),
        (False, True, False, False),
        (True, False, False, False),
        (True, True, True, False),
    ],
)
def test_there_is_a_terminal_where_ours_is_one(
    monkeypatch: pytest.MonkeyPatch, stdin: bool, stdout: bool, no_tty: bool, tty: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: stdin)
    monkeypatch.setattr("sys.stdout.isatty", lambda: stdout)
    assert run_arguments(no_tty=no_tty).has_terminal is tty
