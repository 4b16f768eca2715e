"""Draw the packages of cntnr_compose and their imports (docs/map.svg), and list all files (docs/map.md).

`make map` writes both, and the documents made of the command tree; `--check` fails where one is stale. The
rows of the picture are the layers of the contract in pyproject.toml, all sentences are those of docstrings.
An arrow is left out where a chain of other arrows says the same.
"""

import ast
import sys
import textwrap
import tomllib
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import grimp
import networkx as nx

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "cntnr_compose"
PICTURE, LIST = ROOT / "docs/map.svg", ROOT / "docs/map.md"
WIDTH, MARGIN, GAP, LINE, ROW_GAP = 1120, 16, 18, 16, 40  # pixels
LETTER = 6.5  # pixels: the width of a letter, on average
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b1f24 }
.name { font-weight: 700; font-size: 15px }
.content { fill: #57606a }
.box { fill: #f6f8fa; stroke: #57606a; rx: 6px }
.pure { fill: #eaf5ea }
.arrow { stroke: #8c959f; fill: none; stroke-width: 1.2; marker-end: url(#head) }
"""
HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0 0 8 4 0 8z" fill="#8c959f"/></marker></defs>'
)


class Box(NamedTuple):
    """Where a package is drawn, in pixels."""

    left: float
    top: float
    width: float
    height: float


def contracts() -> list[dict[str, Any]]:
    """Read the contracts of import-linter."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return settings["tool"]["importlinter"]["contracts"]


def read_layers() -> list[list[str]]:
    """Read the rows of packages, the uppermost first."""
    rows = next(contract["layers"] for contract in contracts() if contract["name"] == "layers")
    return [[name.strip().removeprefix(f"{PACKAGE}.") for name in row.split("|")] for row in rows]


def pure_packages() -> set[str]:
    """Read which packages are pure as a whole."""
    modules = next(c["source_modules"] for c in contracts() if c["name"].startswith("pure"))
    return {name.removeprefix(f"{PACKAGE}.") for name in modules}


def import_graph() -> nx.DiGraph:
    """Make the graph of imports between packages, without those that follow from others."""
    sys.path.insert(0, str(ROOT))  # this tree, whatever is installed
    modules = grimp.build_graph(PACKAGE, cache_dir=None)
    graph = nx.DiGraph()
    for importer in modules.modules - {PACKAGE}:
        package = importer.split(".")[1]
        imported = modules.find_modules_directly_imported_by(importer) - {PACKAGE}
        graph.add_edges_from((package, name.split(".")[1]) for name in imported)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return nx.transitive_reduction(graph)


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    sentence = docstring.partition("\n\n")[0].replace("\n", " ").partition(". ")[0]
    return sentence.rstrip(".") + "."


def package_lines(package: str, width: float) -> tuple[list[str], list[str]]:
    """Return what is written in a package's box: its sentence, and what it contains."""
    folder = ROOT / PACKAGE / package
    folders = sorted(f"{path.parent.name}/" for path in folder.glob("*/__init__.py"))
    modules = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    letters = int((width - 24) / LETTER)
    sentence = first_sentence(folder / "__init__.py")
    return textwrap.wrap(sentence, letters), textwrap.wrap(" · ".join(folders + modules), letters)


def list_files() -> str:
    """List every folder and file with its sentence, in the order of the picture."""
    lines = [
        "# Files",
        "",
        "Made by `make map`. [The picture](map.svg) shows who imports whom.",
        "",
    ]
    for package in chain.from_iterable(read_layers()):
        for start in sorted((ROOT / PACKAGE / package).rglob("__init__.py")):
            name = start.parent.relative_to(ROOT / PACKAGE)
            lines += [f"## {name}", "", first_sentence(start), ""]
            modules = (path for path in sorted(start.parent.glob("*.py")) if path != start)
            lines += [f"- `{path.stem}`: {first_sentence(path)}" for path in modules]
            lines.append("")
    return "\n".join(lines[:-1] if lines[-1] == "" else lines) + "\n"


def draw() -> str:
    """Draw the picture."""
    shapes: list[str] = []
    boxes: dict[str, Box] = {}
    top = float(MARGIN)
    for row in read_layers():
        width = (WIDTH - 2 * MARGIN - GAP * (len(row) - 1)) / len(row)
        texts = {package: package_lines(package, width) for package in row}
        height = 34 + LINE * max(
            len(sentence) + len(content) for sentence, content in texts.values()
        )
        for index, package in enumerate(row):
            boxes[package] = Box(MARGIN + index * (width + GAP), top, width, height)
            shapes += draw_package(package, *texts[package], boxes[package])
        top += height + ROW_GAP
    arrows = [
        draw_arrow(boxes[upper], boxes[lower]) for upper, lower in sorted(import_graph().edges)
    ]
    height = top - ROW_GAP + MARGIN
    size = f'width="{WIDTH}" height="{height:.0f}"'
    title = "<title>Packages of cntnr_compose: an arrow points to what is imported</title>"
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {height:.0f}">'
    background = f'<rect {size} fill="#ffffff"/>'
    parts = [start, title, f"<style>{STYLE}</style>", HEAD, background, *arrows, *shapes, "</svg>"]
    return "\n".join(parts) + "\n"


def draw_package(package: str, sentence: list[str], content: list[str], box: Box) -> list[str]:
    """Draw a package's box with its text."""
    kind = "box pure" if package in pure_packages() else "box"
    place = (
        f'x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    )
    lines = [
        ("name", package),
        *(("", line) for line in sentence),
        *(("content", line) for line in content),
    ]
    return [
        f'<rect class="{kind}" {place}/>',
        *(
            f'<text class="{style}" x="{box.left + 12:.1f}" y="{box.top + 22 + LINE * number:.1f}">'
            f"{escape(line)}</text>"
            for number, (style, line) in enumerate(lines)
        ),
    ]


def draw_arrow(upper: Box, lower: Box) -> str:
    """Draw an arrow: straight down where the boxes overlap, else from middle to middle."""
    left = max(upper.left, lower.left)
    right = min(upper.left + upper.width, lower.left + lower.width)
    start = (left + right) / 2 if left < right else upper.left + upper.width / 2
    end = start if left < right else lower.left + lower.width / 2
    begin, stop = upper.top + upper.height, lower.top
    middle = (begin + stop) / 2
    curve = f"C{start:.1f} {middle:.1f} {end:.1f} {middle:.1f} {end:.1f} {stop:.1f}"
    return f'<path class="arrow" d="M{start:.1f} {begin:.1f} {curve}"/>'


def main() -> None:
    """Write the picture, the list and the documents of the command tree, or check them."""
    sys.path.insert(0, str(ROOT))
    from contrib.compatibility import table
    from contrib.reference import manual, markdown

    documents = {
        PICTURE: draw(),
        LIST: list_files(),
        table.DOCUMENT: table.document(),
        manual.PAGE: manual.document(),
        **markdown.documents(),
    }
    for path, text in documents.items():
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path.relative_to(ROOT)} is stale: run `make map`")


if __name__ == "__main__":
    main()
