"""`cntnr exec` with few imports: which command lines are plain, and what is left to the ordinary command."""

import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cntnr_compose.cli.parser import fast_parser
from cntnr_compose.cli.quick import exec as quick_exec
from cntnr_compose.client.exec import handed
from cntnr_compose.client.exec.handed import ExitCodeLost
from cntnr_compose.client.exec.run import CannotExec
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.values import from_json, to_json, to_tree
from cntnr_compose.host import files
from cntnr_compose.model.protocol import (
    HandedExec,
    HandedExecEnd,
    PrepareExec,
    Request,
)
from cntnr_compose.model.version import HANDED_VERSION
from tests.unit.cli.factories import container

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
    sent = from_json(handed.encode({"type": "exec", **request}), Request)  # type: ignore[arg-type]
    assert sent == PrepareExec(
        container=values["container"],
        command=values["command"],
        user=values["user"],
        working_dir=values["workdir"],
        environment=dict(text.split("=", 1) for text in values["env"]),
        privileged=values["privileged"],
    )


def test_a_request_of_the_ordinary_command_means_the_same() -> None:
    request = PrepareExec(
        container="a", command=("b", "c"), environment={"A": 'ü"'}, privileged=True
    )
    tree: Any = to_tree(request)
    assert from_json(handed.encode(tree), PrepareExec) == request


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


Serve = Callable[..., list[Any]]


@pytest.fixture
def serve(there: str) -> Iterator[Serve]:
    """Return a function that has a supervisor answer one command; it returns what the command sends."""
    path = paths.secure_runtime() / "holder/inside/s/shop.exec"
    path.parent.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen()
    received: list[Any] = []
    answering: list[threading.Thread] = []

    def answer(replies: tuple[bytes, ...], writes: bytes) -> None:
        connection, _ = listener.accept()
        with connection:
            message, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
            if not message:
                return
            received.append(from_json(message, HandedExec))
            received.append([os.readlink(f"/proc/self/fd/{stream}") for stream in streams])
            os.write(streams[2], writes)
            for stream in streams:
                os.close(stream)
            for reply in replies:
                connection.send(reply)

    def start(*replies: bytes, writes: bytes = b"") -> list[Any]:
        answering.append(threading.Thread(target=answer, args=(replies, writes), daemon=True))
        answering[-1].start()
        return received

    yield start
    for thread in answering:
        thread.join(5)
    listener.close()
    files.remove_tree(paths.runtime())


def test_its_supervisor_runs_it_with_our_streams(serve: Serve, there: str) -> None:
    received = serve(to_json(HandedExecEnd(code=7)))
    assert quick_exec.run(["-i", "-u", "1", there, "id"]) == 7
    request, streams = received
    assert (request.version, request.project) == (HANDED_VERSION, "shop")
    assert request.process == PrepareExec(container="shop-web-1", command=("id",), user="1")
    own = [os.readlink(f"/proc/self/fd/{number}") for number in range(2)]
    assert streams[:2] == own
    assert streams[2].startswith("pipe:")


def test_without_input_it_reads_nothing(serve: Serve) -> None:
    received = serve(to_json(HandedExecEnd(code=-9)))
    assert quick_exec.run(["shop-web-1", "id"]) == 137
    assert received[1][0] == "/dev/null"


@pytest.mark.parametrize(
    ("reply", "error"),
    [(b"{}", None), (to_json(HandedExecEnd()), None), (b"", ExitCodeLost)],
)
def test_what_its_supervisor_does_not_take_is_left_to_the_ordinary_command(
    serve: Serve, reply: bytes, error: type[ExitCodeLost] | None
) -> None:
    serve(*([reply] if reply else []))
    if error is None:
        assert quick_exec.run(["shop-web-1", "id"]) is None
    else:
        with pytest.raises(error):
            quick_exec.run(["shop-web-1", "id"])


def test_a_message_that_is_too_long_is_left_to_the_ordinary_command(serve: Serve) -> None:
    serve(b"{}")
    assert quick_exec.run(["shop-web-1", "echo", "x" * (8 << 20)]) is None


@pytest.mark.parametrize(
    "words", [["shop-web-1", "id"], ["nosuch", "id"], ["shop-web-1", "\udcff"]]
)
def test_without_a_supervisor_the_ordinary_command_runs(there: str, words: list[str]) -> None:
    assert quick_exec.run(words) is None


def test_a_word_that_is_no_text_is_left_to_the_ordinary_command(serve: Serve) -> None:
    serve(b"{}")
    assert quick_exec.run(["shop-web-1", "\udcff"]) is None


def test_a_runtime_folder_of_others_is_left_to_the_ordinary_command(
    there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = paths.secure_runtime()
    runtime.chmod(0o755)
    monkeypatch.setattr(handed, "_socket", None)  # it would be an error that is not expected
    assert quick_exec.run(["shop-web-1", "id"]) is None
    runtime.chmod(0o700)


def test_what_the_runtime_says_is_the_error(serve: Serve) -> None:
    line = b'time="x" level=error msg="exec failed: unable to start container process: exec: x: nope"\n'
    serve(to_json(HandedExecEnd(code=255)), writes=line)
    with pytest.raises(CannotExec, match="cannot run id in container shop-web-1: x: nope"):
        quick_exec.run(["shop-web-1", "id"])
