"""Write a page for each command: docs/commands/*.md."""

from pathlib import Path

from contrib.reference.commands import EXIT_CODES, VARIABLES, Page, all_pages, root

FOLDER = Path(__file__).resolve().parents[2] / "docs/commands"
MADE = "Made by `make map` of the command's rows; `{path} --help` prints the same.\n"


def documents() -> dict[Path, str]:
    """Return the text of every page by its path."""
    texts = {FOLDER / f"{page.name}.md": text_of(page) for page in all_pages() if page != root()}
    return {FOLDER / "README.md": index(), **texts}


def index() -> str:
    """Return the list of all commands."""
    lines = ["# Commands\n", "Made by `make map` of the command tree.\n"]
    for page in all_pages():
        if page.commands:
            lines += [f"\n## {page.path}\n", *commands(page)]
    return "\n".join(lines) + "\n"


def commands(page: Page) -> list[str]:
    """Return the list of a group's commands."""
    return [f"- [{inner.path}]({inner.name}.md): {inner.summary}" for inner in page.commands]


def text_of(page: Page) -> str:
    """Return the page of a command."""
    lines = [f"# {page.path}\n", MADE.format(path=page.path), *map(paragraph, page.blocks)]
    lines.append(f"Usage: **{page.path}** {escape(page.usage.removeprefix(page.path).strip())}\n")
    if page.options:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{escape(names)}` | {escape(text)} |" for names, text in page.options]
        lines.append("")
    if page.commands:
        lines += ["## Commands\n", *commands(page), ""]
    if page.path == "cntnr compose":
        lines += [
            "## Variables\n",
            *table(VARIABLES),
            "",
            "## Exit codes\n",
            *table(EXIT_CODES),
            "",
        ]
        lines.append(
            "`run` and `exec` end with the code of their command, `wait` with that of a container.\n"
        )
    elif page.path.startswith("cntnr compose ") and getattr(page.called, "of_project", False):
        lines.append("The options of [cntnr compose](compose.md) may stand behind the verb, too.\n")
    return "\n".join(lines)


def paragraph(block: str) -> str:
    """Return a paragraph of a description; examples are code."""
    return f"```sh\n{outdented(block)}\n```\n" if block.startswith(" ") else f"{block}\n"


def table(rows: dict[str, str]) -> list[str]:
    """Return the lines of a list of words and what they mean."""
    return [f"- `{word}`: {text}" for word, text in rows.items()]


def outdented(block: str) -> str:
    """Remove the blanks that an example begins with."""
    lines = block.split("\n")
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[margin:] for line in lines)


def escape(text: str) -> str:
    """Escape what would end a cell of a table."""
    return text.replace("|", "\\|")
