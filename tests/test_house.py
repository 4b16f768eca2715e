"""Check rules of the code base: imports at startup, examples that load, clean-up of failures."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted(path for path in (ROOT / "examples/compose").iterdir() if path.is_dir())
HEAVY = {"asyncio", "networkx", "jsonschema", "yaml", "rich", "jeepney"}
# What the libraries that `config` does without bring along, and what costs more than it is worth.
NOT_FOR_CONFIG = {
    "click", "msgspec", "inspect", "gettext", "uuid", "platform", "decimal", "textwrap", "locale",
    "pathlib", "urllib", "ipaddress", "shlex", "tempfile", "subprocess", "logging", "dataclasses",
    "string", "difflib", "random", "socket",
}  # fmt: skip
RUN = "import sys; from cntnr_compose.cli.main import run; sys.exit(run(sys.argv[1:]))"
MAIN = "from cntnr_compose.cli.main import main; main()"
TELL = """
import atexit, sys
atexit.register(lambda: print("\\0", *sys.modules, file=sys.stderr))
"""


def cntnr(
    *words: str, before: str = "", cwd: Path = ROOT, home: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", before + RUN, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)},
    )


def modules_after(*words: str, home: Path, cwd: Path = ROOT) -> set[str]:
    """Run the command line; return the modules that it loaded."""
    done = cntnr(*words, before=TELL, home=home, cwd=cwd)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.rpartition("\0")[2].split())
    assert "cntnr_compose.cli.main" in loaded
    return loaded


@pytest.mark.parametrize("words", [["compose", ""], ["compose", "up", "--"], ["compose", "up", ""]])
def test_completion_stays_light(words: list[str], tmp_path: Path) -> None:
    loaded = modules_after("__complete", *words, home=tmp_path, cwd=EXAMPLES[0])
    assert not loaded & (HEAVY | NOT_FOR_CONFIG)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["version", "--short"],
        ["compose", "version"],
        ["compose", "--help"],
        ["compose", "up", "--help"],
    ],
)
def test_help_stays_light(words: list[str], tmp_path: Path) -> None:
    loaded = modules_after(*words, home=tmp_path)
    assert not loaded & (HEAVY | {"click", "msgspec", "json", "logging", "subprocess"})
    commands = {name for name in loaded if name.startswith("cntnr_compose.cli.commands.")}
    assert commands <= {
        "cntnr_compose.cli.commands.compose",
        f"cntnr_compose.cli.commands.{'.'.join(word for word in words if word.isalpha())}",
    }


@pytest.mark.parametrize("words", [["image", "ls"], ["images", "-q"]])
def test_listing_images_stays_light(words: list[str], tmp_path: Path) -> None:
    # The user has a catalogue, as after the first image.
    images = tmp_path / ".local/share/cntnr/images"
    images.mkdir(parents=True)
    (images / "index.json").write_text("{}")
    status = (images / "index.json").stat()
    stamp = [status.st_ino, status.st_size, status.st_mtime_ns]
    (images / "catalogue.json").write_text(json.dumps({"stamp": stamp}))
    heavy = HEAVY | {"click", "subprocess", "msgspec", "hashlib", "platform", "decimal"}
    assert not modules_after(*words, home=tmp_path) & heavy


@pytest.mark.parametrize("verb", ["ps", "logs", "images", "top", "volumes"])
def test_verbs_that_only_look_stay_light(verb: str, tmp_path: Path) -> None:
    assert not modules_after("compose", "-p", "nothing", verb, home=tmp_path) & (HEAVY | {"click"})


@pytest.mark.parametrize("words", [["ps"], ["ps", "-a", "--format", "{{.Names}}"], ["ps", "-q"]])
def test_listing_containers_stays_light(words: list[str], tmp_path: Path) -> None:
    loaded = modules_after(*words, home=tmp_path)
    # What is only for images, for networks, or for plans, and what msgspec would load.
    heavy = {"click", "uuid", "decimal", "platform", "hashlib", "subprocess", "json"}
    assert not loaded & (HEAVY | heavy)
    packages = {name.split(".")[1] for name in loaded if name.startswith("cntnr_compose.")}
    assert packages <= {"cli", "client", "containers", "core", "host", "model"}


@pytest.mark.parametrize("words", [["ps"], ["ps", "-aq"], ["container", "ls", "-n", "3"]])
def test_a_plain_list_of_containers_imports_next_to_nothing(
    words: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / f".local/share/cntnr/containers/_/{'a' * 64}"
    folder.mkdir(parents=True)
    record = {"id": folder.name, "name": "a", "project": "_", "service": "a", "definition": {}}
    (folder / "record.json").write_text(json.dumps(record))
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text('{"auths": {}}')
    # Each of these takes longer than the rest of the command.
    slow = {"typing", "re", "enum", "collections", "contextlib", "functools", "pathlib", "glob"}
    slow |= {"socket", "subprocess", "msgspec", "json", "importlib.util"}
    loaded = modules_after(*words, home=tmp_path)
    assert "cntnr_compose.cli.quick.container_list" in loaded
    assert not loaded & (HEAVY | slow)


def test_plain_logs_import_next_to_nothing(tmp_path: Path) -> None:
    folder = tmp_path / f".local/share/cntnr/containers/_/{'a' * 64}"
    folder.mkdir(parents=True)
    record = {"id": folder.name, "name": "a", "project": "_", "service": "a", "definition": {}}
    (folder / "record.json").write_text(json.dumps(record, separators=(",", ":")))
    (folder / "log").touch()
    slow = {"typing", "re", "enum", "collections", "contextlib", "pathlib", "datetime", "msgspec"}
    loaded = modules_after("logs", "a", home=tmp_path)
    assert "cntnr_compose.cli.quick.logs" in loaded
    assert not loaded & (HEAVY | slow)


def test_events_stays_light(tmp_path: Path) -> None:
    words = ("compose", "-p", "nothing", "events", "--until", "0s")
    assert not modules_after(*words, home=tmp_path) & (HEAVY | {"click"})


def test_config_imports_little(tmp_path: Path) -> None:
    text = "services: {web: {image: busybox, ports: ['80:80'], deploy: {resources: {}}}}"
    (tmp_path / "compose.yaml").write_text(text)
    loaded = modules_after("compose", "config", home=tmp_path, cwd=tmp_path)
    assert not loaded & (HEAVY - {"yaml"} | NOT_FOR_CONFIG)
    packages = {name.split(".")[1] for name in loaded if name.startswith("cntnr_compose.")}
    assert packages == {"cli", "core", "compose"}


@pytest.mark.parametrize("name", ["client.prestart", "supervisor.main", "host.process"])
def test_what_starts_first_imports_little(name: str) -> None:
    text = f"import sys, cntnr_compose.{name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=ROOT
    )
    # All commands wait for the supervisor's start, and the supervisor for the holder's.
    assert not set(done.stdout.split()) & (HEAVY | {"msgspec", "logging", "shutil"})


def test_a_plain_exec_imports_next_to_nothing() -> None:
    text = "import sys, cntnr_compose.cli.main, cntnr_compose.cli.quick.exec; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", text], capture_output=True, text=True, check=True, cwd=ROOT
    )
    slow = {"typing", "contextlib", "re", "enum", "pathlib", "collections", "signal", "socket"}
    slow |= {"subprocess", "json", "msgspec", "threading"}
    assert not set(done.stdout.split()) & (HEAVY | slow)


def test_the_library_for_dbus_is_imported_only_where_there_is_a_systemd() -> None:
    text = """
import os, sys
from pathlib import Path
from cntnr_compose.host.systemd import scope
scope._socket_path = lambda: Path("/nothing")
scope.begin_entry(os.getpid())
print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "jeepney" not in done.stdout.split()


def test_what_is_printed_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: späte}}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "compose", "config"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "image: späte\n".encode() in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (
            "--services 2>&1 >/dev/full",
            1,
            "error: cannot write to standard output: no space left on device\n",
        ),
        ("--services 2>&1 >&-", 0, ""),
        ("--services 2>&-", 0, "web\n"),
        ("--services <&-", 0, "web\n"),
        ("nobody 2>/dev/full", 1, ""),
    ],
)
def test_streams_may_be_full_or_closed(
    words: str, code: int, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: i}}\n")
    command = f'"{sys.executable}" -c "{MAIN}" compose config {words}'
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, expected, "")


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_example_loads_and_says_how_it_is_run(folder: Path, tmp_path: Path) -> None:
    done = cntnr("compose", "config", "--quiet", cwd=folder, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    readme = (folder / "README.md").read_text()
    assert "cntnr compose up -d" in readme
    assert "cntnr compose down" in readme


def test_no_clean_up_hides_the_failure_that_it_follows() -> None:
    """Check that handlers of all exceptions await only through `process.clean_up`."""
    bare_awaits = [
        f"{path}:{call.lineno}"
        for path in (ROOT / "cntnr_compose").rglob("*.py")
        for handler in ast.walk(ast.parse(path.read_text()))
        if isinstance(handler, ast.ExceptHandler) and _catches_all(handler)
        for call in ast.walk(handler)
        if isinstance(call, ast.Await)
        and ast.unparse(call.value).partition("(")[0] != "process.clean_up"
    ]
    assert bare_awaits == []


def test_folders_are_listed_by_what_bears_that_they_vanish() -> None:
    """Check that `Path.glob`, which raises an error where a folder is removed meanwhile, is not used."""
    calls = [
        f"{path}:{call.lineno}"
        for path in (ROOT / "cntnr_compose").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("glob", "rglob")
        and ast.unparse(call.func) != "glob.glob"
    ]
    assert calls == []


def test_no_wait_loses_a_cancellation() -> None:
    """Check that `asyncio.wait_for` is not used: before Python 3.12 it may return a result instead."""
    calls = [
        f"{path}:{call.lineno}"
        for path in (ROOT / "cntnr_compose").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Attribute) and ast.unparse(call) == "asyncio.wait_for"
    ]
    assert calls == []


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) == "BaseException"
