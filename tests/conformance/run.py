"""Compare `config` with docker compose's on a corpus of cases: ``python -m tests.conformance.run``.

The corpus is a folder with ``cases.json`` and a folder for each case. ``CNTNR_CONFORMANCE`` names it.
"""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cntnr_compose.core.errors import CntnrError

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {
    "-f": "files",
    "--file": "files",
    "-p": "project_name",
    "--project-name": "project_name",
    "--profile": "profiles",
    "--env-file": "env_files",
    "--project-directory": "project_directory",
}
LISTS = {"files", "profiles", "env_files"}
SWITCHES = {"--compatibility": "compatibility", "--all-resources": "all_resources"}


class UnknownOption(ValueError):
    """The command line of a case has an option that this runner does not know."""


def corpus() -> Path:
    """Return the folder of the corpus, which may not exist."""
    folder = os.environ.get("CNTNR_CONFORMANCE")
    return Path(folder) if folder else ROOT.parent / "shared/conformance/dev"


def cases(folder: Path) -> list[dict[str, Any]]:
    """Read the list of cases."""
    manifest: dict[str, list[dict[str, Any]]] = json.loads((folder / "cases.json").read_text())
    return manifest["cases"]


def request_of(case: Mapping[str, Any], where: Path) -> Any:
    """Convert the command line of a case to a load request."""
    from cntnr_compose.compose.load import LoadRequest

    fields: dict[str, Any] = {}
    words = iter(case["command"][1:])
    for word in words:
        if word in OPTIONS:
            name, value = OPTIONS[word], next(words)
            fields[name] = (*fields.get(name, ()), value) if name in LISTS else value
        elif word in SWITCHES:
            fields[SWITCHES[word]] = True
        elif word == "--format":
            next(words)
        elif word != "config":
            raise UnknownOption(word)
    fields["normalize"] = not fields.get("compatibility")  # as `config` does
    return LoadRequest(environ=environ_of(case, where), cwd=str(where), **fields)


def environ_of(case: Mapping[str, Any], where: Path) -> dict[str, str]:
    """Return the environment of a case."""
    base = {
        "PATH": os.environ["PATH"],
        "HOME": "/home/conformance",
        "PWD": str(where),
        "LANG": "C.UTF-8",
    }
    return base | case["env"]


# Of errors of 2.40.3 that are none any more in the version that is followed there (docs/compatibility.md).
KNOWN_SINCE = ("additional properties 'pre_start' not allowed",)


def difference(case: Mapping[str, Any], folder: Path, answer: Any) -> str:
    """Describe the first difference between an answer and docker compose's; empty: none."""
    expected = expected_answer(case, folder)
    failed = isinstance(answer, CntnrError)
    if case["expect"] == "error":
        error = expected["error"]
        missing = [word for word in error["keywords"] if word not in str(answer)]
        if failed and not missing:
            return ""
        if not failed and any(phrase in error["message"] for phrase in KNOWN_SINCE):
            return ""
        return f"should fail: {error['message']}; not said: {missing}; said: {answer}"
    if failed:
        return f"fails: {answer}"
    return next(differences(expected, answer, ""), "")


def expected_answer(case: Mapping[str, Any], folder: Path) -> Any:
    """Read the answer of docker compose."""
    base = folder / case["id"]
    text = (base / "expected.json").read_text()
    directory = json.dumps(str(base / case["repo"]))[1:-1]
    return json.loads(text.replace("${DIR}", directory))


def differences(expected: Any, actual: Any, path: str) -> Iterator[str]:
    """Describe the differences of two JSON values."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}):
            if key not in actual:
                yield f"{path}.{key}: missing, should be {json.dumps(expected[key])}"
            elif key not in expected:
                yield f"{path}.{key}: should not be there, is {json.dumps(actual[key])}"
            else:
                yield from differences(expected[key], actual[key], f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, items in enumerate(zip(expected, actual, strict=True)):
            yield from differences(*items, f"{path}[{index}]")
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield f"{path}: should be {json.dumps(expected)}, is {json.dumps(actual)}"


def in_process(case: Mapping[str, Any], folder: Path) -> Any:
    """Answer a case as `config --format json` would, without starting a program."""
    from cntnr_compose.compose.load import load
    from cntnr_compose.compose.render.output import render_json

    where = folder / case["id"] / case["repo"] / case["dir"]
    before = Path.cwd()
    try:
        os.chdir(where)
        return json.loads(render_json(load(request_of(case, where)).tree))
    except CntnrError as error:
        return error
    finally:
        os.chdir(before)


def by_command(case: Mapping[str, Any], folder: Path) -> Any:
    """Answer a case with the command line, in a process of its own."""
    import subprocess

    where = folder / case["id"] / case["repo"] / case["dir"]
    start = "from cntnr_compose.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *case["command"]],
        cwd=where,
        env=environ_of(case, where) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return json.loads(done.stdout)
    if "Traceback" in done.stderr:
        raise AssertionError(done.stderr)
    return CntnrError(done.stderr)


def unchecked(case: Mapping[str, Any], folder: Path) -> str:
    """Describe what `check` does not know of a case; empty: it knows every key."""
    from cntnr_compose.cli.main import run
    from cntnr_compose.compose.support.report import support_by_key

    where = folder / case["id"] / case["repo"] / case["dir"]
    words = ["check" if word == "config" else word for word in case["command"][1:]]
    environ = environ_of(case, where)
    out, err = io.StringIO(), io.StringIO()
    directory, environment = Path.cwd(), dict(os.environ)
    try:
        os.chdir(where)
        os.environ.clear()
        os.environ.update(environ)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["compose", *words])
    finally:
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(environment)
    if code:
        is_expected = case["expect"] == "error" and err.getvalue()
        return "" if is_expected else f"check fails: {err.getvalue()}"
    unknown = {row["Key"] for row in json.loads(out.getvalue())} - support_by_key().keys()
    return f"unknown keys: {unknown}" if unknown else ""


def main() -> int:
    """Run the corpus and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases whose names contain one of these")
    parser.add_argument("--command-line", action="store_true", help="start the program each time")
    parser.add_argument("-v", "--verbose", action="store_true", help="print differences in full")
    options = parser.parse_args()
    folder = corpus()
    if not (folder / "cases.json").is_file():
        sys.stderr.write(f"no conformance corpus at {folder}: set CNTNR_CONFORMANCE\n")
        return 1
    answer = by_command if options.command_line else in_process
    chosen = [
        case
        for case in cases(folder)
        if not options.words or any(word in case["id"] for word in options.words)
    ]
    passed = known = 0
    for case in chosen:
        problem = difference(case, folder, answer(case, folder))
        passed += not problem
        unknown = unchecked(case, folder)
        known += not unknown
        problem = problem or unknown
        if problem:
            sys.stdout.write(f"{case['id']}: {problem if options.verbose else problem[:200]}\n")
    sys.stdout.write(f"{passed} of {len(chosen)} cases as docker compose: ")
    sys.stdout.write(f"{100 * passed / max(1, len(chosen)):.1f} %\n")
    sys.stdout.write(f"{known} of {len(chosen)} cases checked without an unknown key\n")
    return 0 if passed == known == len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main())
