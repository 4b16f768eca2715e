"""Projects made of a few texts."""

import json
from pathlib import Path
from typing import Any

from cntnr_compose.compose.load import LoadedProject, LoadRequest, load
from cntnr_compose.compose.render.output import render_json

ENVIRON = {"HOME": "/home/me", "A": "aa", "B": "bb"}


def write(folder: Path, files: dict[str, str]) -> None:
    """Put files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(folder: Path, texts: dict[str, str] | str, /, **asked: Any) -> LoadedProject:
    """Write files and load the project; a text is the compose file."""
    write(folder, {"compose.yaml": texts} if isinstance(texts, str) else texts)
    environ = ENVIRON | asked.pop("environ", {})
    asked.setdefault("cwd", str(folder))
    loaded = load(LoadRequest(environ=environ, **asked))
    assert loaded.project.name == loaded.tree["name"]  # whatever loads can be made a project
    return loaded


def shown(folder: Path, texts: dict[str, str] | str, /, **asked: Any) -> Any:
    """Give what `config --format json` prints, with ``/DIR`` for the folder."""
    text = render_json(read(folder, texts, **asked).tree)
    return json.loads(text.replace(str(folder), "/DIR"))


def service(folder: Path, texts: dict[str, str] | str, /, name: str = "a", **asked: Any) -> Any:
    """Give one service of it, without what is always there."""
    found = shown(folder, texts, **asked)["services"][name]
    bare = {"command": None, "entrypoint": None, "networks": {"default": None}}
    return {key: value for key, value in found.items() if key not in bare or bare[key] != value}
