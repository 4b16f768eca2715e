"""Keep what was found on machines in docs/machines.md: a section a suite, with versions and a table.

A run of some rows changes only those; rows that exist no more are left out. Before the suites stands which
parts each had.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TITLES = {
    "bookworm": "Debian 12 (bookworm)",
    "trixie": "Debian 13 (trixie)",
    "sid": "Debian unstable (sid)",
}
PARTS = "Parts"  # the title of the table of parts
HEAD = "| row | as | promised | result | tried |\n|---|---|---|---|---|\n"
LONGEST = 300  # letters of a result
COLUMN = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Finding:
    """What became of one row: "ok", "fails: …" or "skipped: …", and which tree that was."""

    name: str
    user: str
    promise: str
    result: str
    tried: str  # the day, and the commit

    @property
    def failed(self) -> bool:
        """Whether the promise was not kept."""
        return self.result.startswith("fails")


@dataclass(frozen=True)
class Section:
    """What is known of one suite."""

    versions: str  # of the last run
    findings: Mapping[str, Finding]


def cell(text: str) -> str:
    """Return a text as a cell of a table: one line, without colours, not longer than ``LONGEST``."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    if len(line) > LONGEST:
        line = f"{line[:LONGEST]}…"
    return line.replace("\\", "\\\\").replace("|", "\\|")


def read_cell(text: str) -> str:
    """Return the text of a cell."""
    return text.strip().replace("\\|", "|").replace("\\\\", "\\")


def render_finding(finding: Finding) -> str:
    """Write one line of a table."""
    cells = (finding.name, finding.user, finding.promise, finding.result, finding.tried)
    return f"| {' | '.join(cell(text) for text in cells)} |"


def render_section(suite: str, section: Section) -> str:
    """Write the section of a suite."""
    lines = "\n".join(render_finding(finding) for finding in section.findings.values())
    return f"## {TITLES[suite]}\n\n{section.versions}\n\n{HEAD}{lines}\n"


def parse_section(text: str) -> Section:
    """Read what `render_section` wrote."""
    findings = {}
    for line in text.splitlines():
        cells = [read_cell(part) for part in COLUMN.split(line)[1:-1]]
        if len(cells) == 5 and cells[0] != "row" and not cells[0].startswith("---"):
            findings[cells[0]] = Finding(*cells)
    paragraphs = text.partition("\n\n")[2]
    return Section(paragraphs.partition("\n\n| row |")[0].strip(), findings)


def read_parts(versions: str) -> dict[str, str]:
    """Read each part's version from what `install.versions` wrote; the first words name the suite."""
    items = [item.split() for item in re.split("[.,] ", versions.removesuffix("."))[1:]]
    return {words[0]: words[-1] for words in items if len(words) > 1}


def render_parts(sections: Mapping[str, Section]) -> str:
    """Write which parts each suite had, and how many of its rows hold."""
    columns = {suite: read_parts(section.versions) for suite, section in sections.items()}
    names = dict.fromkeys(name for parts in columns.values() for name in parts)
    rows = [[name, *(parts.get(name, "") for parts in columns.values())] for name in names]
    rows.append(["last run", *(last_run(section) for section in sections.values())])
    lines = [["part", *(TITLES[suite] for suite in sections)], ["---"] * (len(sections) + 1), *rows]
    table = "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)
    return f"## {PARTS}\n\n{table}\n"


def last_run(section: Section) -> str:
    """Tell how many rows of a suite hold, and when the last one was tried."""
    findings = section.findings.values()
    held = sum(finding.result == "ok" for finding in findings)
    latest = max((finding.tried for finding in findings), default="never")
    return f"{latest}: {held} of {len(findings)} rows hold"


def split(page: str) -> tuple[str, dict[str, str]]:
    """Split the page into what stands before the first suite, and the sections of suites."""
    head, *rest = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    suites = {title: suite for suite, title in TITLES.items()}
    sections = {}
    for text in rest:
        title = text.partition("\n")[0].removeprefix("## ")
        if title in suites:
            sections[suites[title]] = text
        elif title != PARTS:
            head += text
    return head, sections


def update(
    page: str, suite: str, versions: str, findings: Iterable[Finding], names: Iterable[str]
) -> str:
    """Put findings into the page. ``names`` are all rows that there are, in order."""
    head, texts = split(page)
    known = {name: parse_section(texts[name]) for name in TITLES if name in texts}
    found = dict(known[suite].findings) if suite in known else {}
    found |= {finding.name: finding for finding in findings}
    known[suite] = Section(versions, {name: found[name] for name in names if name in found})
    sections = {name: known[name] for name in TITLES if name in known}
    rendered = [render_section(name, section) for name, section in sections.items()]
    return "\n".join([f"{head.rstrip()}\n", render_parts(sections), *rendered])
