"""Write the manual page: man/cntnr.1, in the macros of man(7)."""

from pathlib import Path

from contrib.reference.commands import EXIT_CODES, VARIABLES, Page, all_pages, root
from contrib.reference.markdown import outdented

PAGE = Path(__file__).resolve().parents[2] / "man/cntnr.1"
FILES = {
    "compose.yaml": "The compose file, or compose.yml, docker-compose.yml, docker-compose.yaml; the nearest "
    "one above the current directory.",
    "compose.override.yml": "Merged over it, where it stands beside it and no `--file` is given.",
    ".env": "Variables for the compose file.",
    "~/.local/share/cntnr": "Images, containers, volumes and networks; $XDG_DATA_HOME/cntnr if that is set.",
}


def document() -> str:
    """Return the text of the manual page."""
    lines = [
        '.\\" Made by `make map` of the command tree.',
        '.TH CNTNR 1 "" "cntnr" "User Commands"',
        ".SH NAME",
        f"cntnr \\- {escape(root().summary.lower())}",
        ".SH SYNOPSIS",
        ".B cntnr",
        "[OPTIONS] COMMAND",
        ".br",
        ".B cntnr compose",
        "[OPTIONS] COMMAND",
        ".SH DESCRIPTION",
        *plain(
            "cntnr brings the services of a compose file up for an ordinary user: without root, daemon and "
            "systemd session. Files, verbs, names and exit codes are those of docker compose."
        ),
        ".SH COMMANDS",
    ]
    for page in all_pages():
        lines += section(page)
    for title, rows in (("ENVIRONMENT", VARIABLES), ("FILES", FILES), ("EXIT STATUS", EXIT_CODES)):
        lines.append(f".SH {title}")
        lines += [part for word, text in rows.items() for part in term(word, text)]
    lines += [
        ".SH SEE ALSO",
        ".BR runc (8),",
        ".BR skopeo (1),",
        ".BR conmon (8)",
    ]
    return "\n".join(lines) + "\n"


def section(page: Page) -> list[str]:
    """Return the section of a command."""
    lines = [f".SS {escape(page.usage)}"]
    for block in page.blocks:
        if block.startswith(" "):
            lines += [
                ".PP",
                ".RS 4",
                ".nf",
                *map(escape, outdented(block).split("\n")),
                ".fi",
                ".RE",
            ]
        else:
            lines += [".PP", *plain(block)]
    for names, text in page.options:
        lines += term(names, text)
    return lines


def term(word: str, text: str) -> list[str]:
    """Return a word and what it means."""
    return [".TP", f".B {escape(word)}", *plain(text)]


def plain(text: str) -> list[str]:
    """Return a paragraph; what is code is bold."""
    parts = text.split("`")
    marked = [
        f"\\fB{escape(part)}\\fR" if index % 2 else escape(part) for index, part in enumerate(parts)
    ]
    line = "".join(marked)
    return [f"\\&{line}" if line.startswith((".", "'")) else line]


def escape(text: str) -> str:
    """Escape what means something to roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
