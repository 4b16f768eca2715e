"""Files made to take all time or memory: loading ends soon, with a project or an error."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.compose.load import LoadRequest, load
from cntnr_compose.core.errors import CntnrError

LIMIT = 30.0  # seconds of CPU time, which other processes do not add to
MEMORY = 1 << 30  # bytes of address space
LARGE_RUN = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({2 * LIMIT:.0f}, {2 * LIMIT:.0f}))
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from cntnr_compose.cli.main import run
sys.exit(run(["compose", "config"]))
"""
ROOT = Path(__file__).resolve().parents[2]
ONE_SERVICE = "services: {a: {image: x}}\n"


def levels(anchor: str, count: int, first: str) -> Iterator[str]:
    """Generate lines of which each names the one before ten times."""
    yield f"x-0: &{anchor}0 {first}\n"
    for number in range(1, count):
        yield f"x-{number}: &{anchor}{number} [{','.join([f'*{anchor}{number - 1}'] * 10)}]\n"


def merged(count: int) -> Iterator[str]:
    yield "x-0: &m0 {a: 1}\n"
    for number in range(1, count):
        names = ",".join([f"*m{number - 1}"] * 10)
        yield f"x-{number}: &m{number}\n  <<: [{names}]\n  k{number}: 1\n"


REFUSED = {
    "lists of lists": "".join(levels("a", 12, "[x]")) + ONE_SERVICE,
    "lists of mappings": "".join(levels("a", 8, "{b: c}"))
    + "services: {a: {image: x, command: *a7}}",
    "merges of merges": "".join(merged(12)) + "services: {a: {image: x, environment: *m11}}",
    "an anchor in itself": "services: &s {a: {image: x, x-a: *s}}",
    "brackets": f"x-a: {'[' * 100_000}{']' * 100_000}\n{ONE_SERVICE}",
    "indents": "".join(f"{' ' * number}a:\n" for number in range(2000)),
    "a cycle of services": "services:\n"
    + "".join(f"  s{n}: {{image: x, depends_on: [s{(n + 1) % 5000}]}}\n" for n in range(5000)),
    "unknown keys": "".join(f"k{number}: 1\n" for number in range(20_000)),
    "wrong values": "services:\n  a:\n    image: x\n    environment:\n"
    + "".join(f"      A{number}: []\n" for number in range(20_000)),
    "variables in variables": ONE_SERVICE.replace("x", f'"{"${A:-" * 5000}{"}" * 5000}"'),
    "open variables": ONE_SERVICE.replace("x", f'"{"${A:-" * 5000}"'),
}
ACCEPTED = {
    "services": "services:\n"
    + "".join(f'  s{n}: {{image: x, ports: ["80"], depends_on: [s0]}}\n' for n in range(1, 3000))
    + "  s0: {image: x}\n",
    "a long command": f'services: {{a: {{image: x, command: "{"x" * 1_000_000}"}}}}',
    "variables": "services:\n  a:\n    image: x\n    environment:\n"
    + "".join(f'      A{number}: "{number}"\n' for number in range(20_000)),
    "dollars": f'services: {{a: {{image: x, command: "{"$$" * 200_000}"}}}}',
    "one service many times": "x-a: &a {image: x, environment: {A: '1'}}\nservices:\n"
    + "".join(f"  s{number}: *a\n" for number in range(3000)),
    "a chain of extends": "services:\n  s0: {image: x}\n"
    + "".join(f"  s{number}: {{extends: s{number - 1}}}\n" for number in range(1, 1500)),
    "a range of ports": 'services: {a: {image: x, ports: ["1-65535:1-65535"]}}',
}


def read(folder: Path, text: str) -> None:
    (folder / "compose.yaml").write_text(text)
    start = time.process_time()
    try:
        assert load(LoadRequest(cwd=str(folder))).project.files
    finally:
        assert time.process_time() - start < LIMIT


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_invalid_files_are_refused_soon(tmp_path: Path, text: str) -> None:
    with pytest.raises(CntnrError):
        read(tmp_path, text)


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_large_files_are_loaded_soon(tmp_path: Path, text: str) -> None:
    read(tmp_path, text)


def ten_thousand(service: str) -> str:
    lines = [f"  s{number}: {service.replace('N', str(number))}\n" for number in range(10_000)]
    volumes = [f"  v{number}:\n" for number in range(10_000)]
    return "".join(["services:\n", *lines, "volumes:\n", *volumes])


def ten_megabytes(value: str, count: int) -> str:
    lines = (f"      A{number:06}: {value}\n" for number in range(count))
    return "services:\n  a:\n    image: x\n    environment:\n" + "".join(lines)


LARGE = {
    "10,000 services": (ten_thousand("{image: x, ports: ['80'], volumes: [vN:/v]}"), 0),
    "10,000 services with mistakes": (
        ten_thousand("{image: x, ports: [q], mem_limit: lots, depends_on: [zz]}"),
        1,
    ),
    "10 MB of long values": (ten_megabytes("x" * 1000, 10_000), 0),
    "10 MB of short values": (ten_megabytes("x", 520_000), 0),
    "10 MB of mistakes": (ten_megabytes("[]", 520_000), 1),
}


@pytest.mark.parametrize(("text", "code"), LARGE.values(), ids=LARGE)
def test_huge_files_take_bounded_time_and_memory(tmp_path: Path, text: str, code: int) -> None:
    (tmp_path / "compose.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", LARGE_RUN],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
