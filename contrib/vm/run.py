"""Check all rows on a machine: build its disk where needed, boot it, install the tree, print the table.

    make vm-test                            # Debian 12
    make vm-test SUITE=trixie ROWS='limits-*'

The table is kept in docs/machines.md. The status is 1 where a promise was not kept.
"""

import argparse
import datetime as dt
import fnmatch
import subprocess
import sys
import time
from collections.abc import Iterator

from contrib.vm.image import ensure_image
from contrib.vm.install import install, versions
from contrib.vm.machine import CopyFailed, Machine, Unreachable, running
from contrib.vm.rows import Fails, Person, Row, Skipped, load_rows
from contrib.vm.settings import ROOT, SUITES, read_settings
from contrib.vm.table import Finding, update

MISTAKES = (LookupError, OSError, TypeError, ValueError, subprocess.SubprocessError)
PAGE = ROOT / "docs/machines.md"


def try_row(machine: Machine, row: Row) -> str:
    """Check one row; return its result."""
    try:
        row.check(Person(machine, row.user))
    except Skipped as reason:
        return f"skipped: {reason}"
    except Fails as reason:
        return f"fails: {reason}"
    except (CopyFailed, Unreachable) as error:
        return f"fails: {error}"
    except MISTAKES as error:  # of the row itself: it is not to end those that follow
        return f"fails: the row itself: {type(error).__name__}: {error}"
    return "ok"


def try_rows(machine: Machine, rows: list[Row], tried: str) -> Iterator[Finding]:
    """Check rows one after another."""
    for row in rows:
        begun = time.monotonic()
        result = try_row(machine, row)
        took = time.monotonic() - begun
        print(f"{row.name:<24} {row.user:<6} {took:4.0f} s  {result}", flush=True)
        yield Finding(row.name, row.user, row.promise, result, tried)
        if machine.qemu.pid() is None:
            print("vm: the machine has ended, so have the checks", file=sys.stderr)
            return


def state_of_tree() -> str:
    """Return the day and the commit, where git knows it."""
    words = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "rev-parse", "--short=8", "HEAD"]
    commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return f"{dt.datetime.now(dt.UTC).date().isoformat()} {commit}".strip()


def read_arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="vm", description="Check cntnr on a machine.")
    parser.add_argument("suite", choices=SUITES, nargs="?", default="bookworm")
    parser.add_argument("rows", nargs="*", help="names of rows, with * for any letters")
    parser.add_argument("--keep", action="store_true", help="let the machine run afterwards")
    parser.add_argument("--as-is", action="store_true", help="take the machine as it was left")
    parser.add_argument("--no-table", action="store_true", help="leave docs/machines.md alone")
    return parser.parse_intermixed_args(words)  # options may stand between the suite and rows


def choose(rows: dict[str, Row], patterns: list[str]) -> list[Row]:
    """Return the rows that patterns name; all where there is none."""
    chosen = [
        row
        for name, row in rows.items()
        if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
    if not chosen:
        sys.exit(f"vm: no row is called {' or '.join(patterns)}; there are {', '.join(rows)}")
    return chosen


def main() -> None:
    """Serve the command line."""
    options = read_arguments(sys.argv[1:])
    rows = load_rows()
    chosen = choose(rows, options.rows)
    if not options.as_is:
        ensure_image(read_settings(options.suite))
    with running(options.suite, fresh=not options.as_is, keep=options.keep) as machine:
        if not options.as_is:
            begun = time.monotonic()
            install(machine)
            print(f"vm: cntnr is installed after {time.monotonic() - begun:.0f} s", flush=True)
        parts = versions(machine)
        findings = []
        for finding in try_rows(machine, chosen, state_of_tree()):  # who interrupts it keeps those
            findings.append(finding)
            if not options.no_table:
                PAGE.write_text(update(PAGE.read_text(), options.suite, parts, findings, rows))
    failed = [finding.name for finding in findings if finding.failed]
    print(f"vm: {len(findings) - len(failed)} of {len(findings)} rows hold; {parts}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
