"""`cntnr exec` with few imports: which command lines are plain, and what is left to the ordinary command."""

import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.parser import fast_parser
from cntnr_compose.cli.quick import exec as quick_exec
from cntnr_compose.cli.quick import exec_request
from cntnr_compose.client.exec import CannotExec
from cntnr_compose.containers.exec import SPEC_WORD
from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.files import folders
from cntnr_compose.core.values import from_json, replace, to_json, to_tree
from cntnr_compose.host import files
from cntnr_compose.host.children import foreground
from cntnr_compose.host.namespaces import holder_file
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.host.systemd import scope
from cntnr_compose.model.protocol import (
    OWN_GREETING,
    ErrorReply,
    ExecCommand,
    Greeting,
    PrepareExec,
    Reply,
    Request,
    ResultReply,
)
from tests.unit.cli.factories import container

COMMAND = ExecCommand(argv=("nsenter", "runc"), spec='{"cwd": "/ü"}', spec_word="/process.json")
GREETING = replace(OWN_GREETING, project="shop")
PLAIN = (
    "web true",
    "-i web cat -e",
    "--interactive --privileged web sh -c 'exit 3'",
    "-e A=b -e A=c=d --env B= -u 1:2 -w /tmp -w '/a b' web env",
    "--user \"\" --workdir /ü web echo '\"\\' '\n\t\x01'",
)


@pytest.mark.parametrize("line", PLAIN)
def test_plain_words_mean_what_they_mean_to_the_ordinary_command(line: str) -> None:
    words = shlex.split(line)
    parsed = fast_parser.parse(["exec", *words])
    assert isinstance(parsed, fast_parser.Invocation)
    values = parsed.arguments
    request = quick_exec.parse(words)
    assert request is not None
    assert request.pop("interactive", False) == values["interactive"]
    sent = from_json(exec_request.encode({"type": "exec", **request}), Request)  # type: ignore[arg-type]
    assert sent == PrepareExec(
        container=values["container"],
        command=values["command"],
        user=values["user"],
        working_dir=values["workdir"],
        environment=dict(text.split("=", 1) for text in values["env"]),
        privileged=values["privileged"],
    )


@pytest.mark.parametrize(
    "line",
    [
        "", "web", "-i", "-i web", "-e A=b", "-e", "-u", "-t web sh", "-it web sh", "-d web true",
        "--env-file f web true", "-e HOME web env", "-e =x web env", "--user=1 web id", "-u1 web id",
        "-u -i web id", "--detach-keys a web sh", "--help", "-- web true", "web -- true", "web -x", "- true",
        "--interactive=true web cat",
    ],
)  # fmt: skip
def test_other_words_are_not_its_own(line: str) -> None:
    assert quick_exec.parse(shlex.split(line)) is None


@pytest.fixture
def there() -> Iterator[str]:
    """Have a container; return its id."""
    web = container("web").record
    records.write_record(web)
    yield web.id
    files.remove_tree(paths.data())


def test_containers_are_found_by_whole_ids_and_by_names(there: str) -> None:
    other = replace(container("db", project="_", name="x.y_z").record, id="f" * 64, service="x")
    records.write_record(other)
    assert quick_exec.find("shop-web-1")[:2] == ("shop", "shop-web-1")
    assert quick_exec.find(there)[:2] == ("shop", "shop-web-1")
    assert quick_exec.find("x.y_z")[:2] == ("_", "x.y_z")
    (paths.container("shop", "half")).mkdir()
    assert quick_exec.find("f" * 64)[:2] == ("_", "x.y_z")
    for reference in ("f" * 63, "shop-web", "/x.y_z"):
        with pytest.raises(LookupError):
            quick_exec.find(reference)
    records.write_record(replace(other, id="e" * 64))
    with pytest.raises(LookupError):
        quick_exec.find("x.y_z")
    records.write_record(replace(other, id="d" * 64, name="f" * 64))  # an id comes first
    assert quick_exec.find("f" * 64)[:2] == ("_", "x.y_z")


Serve = Callable[..., list[bytes]]


@pytest.fixture
def serve(there: str) -> Iterator[Serve]:
    """Return a function that has a supervisor answer one command; it returns what the command sends."""
    path = paths.secure_runtime() / "holder/inside/s/shop.sock"
    path.parent.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    received: list[bytes] = []

    def answer(replies: tuple[Reply, ...]) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            received.extend((lines.readline(), lines.readline()))
            for reply in replies:
                connection.sendall(to_json(reply) + b"\n")

    def start(result: Reply, greeting: Greeting = GREETING) -> list[bytes]:
        replies = (ResultReply(result=to_tree(greeting)), result)
        threading.Thread(target=answer, args=(replies,), daemon=True).start()
        return received

    yield start
    listener.close()
    files.remove_tree(paths.runtime())


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record what would be started; it ends with 7, or as the test says."""
    calls: list[Any] = []

    def fake(
        argv: list[str], word: str, produce: Callable[[], bytes], **more: Any
    ) -> tuple[int, bytes]:
        calls.append((argv, word, produce(), more["interactive"], more["is_apart"]))
        return 7, b""

    monkeypatch.setattr(foreground, "run", fake)
    return calls


def test_its_supervisor_prepares_what_is_run(serve: Serve, ran: list[Any], there: str) -> None:
    received = serve(ResultReply(result=to_tree(replace(COMMAND, keeps_streams=True))))
    assert quick_exec.run(["-i", "-u", "1", there, "id"]) == 7
    sent = [from_json(line, Request) for line in received]  # type: ignore[arg-type]
    assert sent[1] == PrepareExec(container="shop-web-1", command=("id",), user="1")
    assert ran == [(["nsenter", "runc"], "/process.json", COMMAND.spec.encode(), True, True)]


@pytest.mark.parametrize("joins", [False, True])
def test_it_joins_the_scope_where_the_container_s_group_lies(
    serve: Serve, ran: list[Any], monkeypatch: pytest.MonkeyPatch, *, joins: bool
) -> None:
    order: list[Any] = []
    monkeypatch.setattr(scope, "join", lambda: order.append(list(ran)))
    serve(ResultReply(result=to_tree(replace(COMMAND, joins_scope=joins))))
    assert quick_exec.run(["shop-web-1", "id"]) == 7
    assert order == ([[]] if joins else [])  # before the runtime is started


def test_its_command_is_foreseen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = NamespaceHolder(parent=1, child=os.getpid(), payload=1, born=(1, 1))
    identity = "3" * 64
    monkeypatch.setattr(folders, "HOLDER_TMPFS", str(tmp_path))
    monkeypatch.setattr(quick_exec, "UNIFIED_CGROUPS", str(tmp_path / "controllers"))
    monkeypatch.setattr(holder_file, "find_holder", lambda _: own)
    assert quick_exec.foresee_argv(identity) is None  # it does not run
    bundle = paths.bundle(identity)
    bundle.mkdir(parents=True)
    (bundle / "crun").symlink_to("/usr/bin/crun")
    assert quick_exec.foresee_argv(identity) is None
    (bundle / "crun").unlink()
    (bundle / "runc").symlink_to("/opt/runc")
    words = runc.build_exec_argv(identity, Path(SPEC_WORD))
    assert words[0] == "/opt/runc"
    assert quick_exec.foresee_argv(identity) == own.nsenter_argv(words)
    (tmp_path / "controllers").touch()
    assert quick_exec.foresee_argv(identity) is None
    monkeypatch.setattr(holder_file, "find_holder", lambda _: None)
    (tmp_path / "controllers").unlink()
    assert quick_exec.foresee_argv(identity) is None


@pytest.mark.parametrize(
    ("foreseen", "joins", "code"),
    [(COMMAND.argv, False, 7), (("nsenter", "other"), False, None), (COMMAND.argv, True, None)],
)
def test_a_command_that_was_foreseen_is_what_the_supervisor_says_or_reads_nothing(
    serve: Serve,
    ran: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    foreseen: tuple[str, ...],
    *,
    joins: bool,
    code: int | None,
) -> None:
    monkeypatch.setattr(quick_exec, "foresee_argv", lambda _: list(foreseen))
    serve(ResultReply(result=to_tree(replace(COMMAND, joins_scope=joins))))
    assert quick_exec.run(["shop-web-1", "id"]) == code
    assert len(ran) == (code is not None)


@pytest.mark.parametrize(
    ("result", "greeting"),
    [
        (ErrorReply(error="NotRunning", message="it is not running"), {}),
        (ResultReply(), {}),
        (ResultReply(result=to_tree(COMMAND)), {"protocol": OWN_GREETING.protocol - 1}),
        (ResultReply(result=to_tree(COMMAND)), {"version": "99.0"}),
        (ResultReply(result=to_tree(COMMAND)), {"project": "other"}),
    ],
)
@pytest.mark.parametrize("foreseen", [None, list(COMMAND.argv)])
def test_refusals_and_other_versions_are_left_to_the_ordinary_command(
    serve: Serve,
    ran: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    result: Reply,
    greeting: dict[str, Any],
    foreseen: list[str] | None,
) -> None:
    monkeypatch.setattr(quick_exec, "foresee_argv", lambda _: foreseen)
    serve(result, replace(GREETING, **greeting))
    assert quick_exec.run(["shop-web-1", "id"]) is None
    assert not ran


@pytest.mark.parametrize(
    "words", [["shop-web-1", "id"], ["nosuch", "id"], ["shop-web-1", "\udcff"]]
)
def test_without_a_supervisor_the_ordinary_command_runs(
    there: str, ran: list[Any], words: list[str]
) -> None:
    assert quick_exec.run(words) is None
    assert not ran


def test_a_runtime_folder_of_others_is_left_to_the_ordinary_command(
    there: str, ran: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = paths.secure_runtime()
    runtime.chmod(0o755)
    monkeypatch.setattr(exec_request, "_socket", None)  # it would be an error that is not expected
    assert quick_exec.run(["shop-web-1", "id"]) is None
    assert not ran
    runtime.chmod(0o700)
    with pytest.raises(AttributeError):
        quick_exec.run(["shop-web-1", "id"])


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (255, 255), (-15, 143)])
def test_its_code_is_ours(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, code: int, expected: int
) -> None:
    serve(ResultReply(result=to_tree(COMMAND)))
    monkeypatch.setattr(foreground, "run", lambda *_, **__: (code, b""))
    assert quick_exec.run(["shop-web-1", "id"]) == expected


def test_errors_of_the_runtime_are_explained(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    error = b'time="2026" level=error msg="exec failed: unable to start container process: permission denied"'
    serve(ResultReply(result=to_tree(COMMAND)))
    monkeypatch.setattr(foreground, "run", lambda *_, **__: (255, error))
    with pytest.raises(CannotExec) as raised:
        quick_exec.run(["shop-web-1", "id"])
    assert str(raised.value) == "cannot run id in container shop-web-1: permission denied"
    assert raised.value.exit_code == 126


def test_what_cannot_be_written_is_an_error_of_ours(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cntnr_compose.cli.display.stdout import NotWritten

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    serve(ResultReply(result=to_tree(COMMAND)))
    monkeypatch.setattr(foreground, "run", fail)
    with pytest.raises(NotWritten, match="no space left"):
        quick_exec.run(["shop-web-1", "id"])
