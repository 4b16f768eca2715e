"""Load projects from short texts, and print them as `config` does."""

import json
from pathlib import Path
from typing import Any

from cntnr_compose.compose.load import LoadedProject, LoadRequest, load
from cntnr_compose.compose.render.output import render_json

ENVIRON = {"HOME": "/home/me", "A": "aa", "B": "bb"}


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def load_texts(folder: Path, texts: dict[str, str] | str, /, **options: Any) -> LoadedProject:
    """Write files and load the project; a text is the compose file."""
    write_files(folder, {"compose.yaml": texts} if isinstance(texts, str) else texts)
    environ = ENVIRON | options.pop("environ", {})
    options.setdefault("cwd", str(folder))
    loaded = load(LoadRequest(environ=environ, **options))
    assert loaded.project.name == loaded.tree["name"]  # what can be loaded makes a project
    return loaded


def rendered(folder: Path, texts: dict[str, str] | str, /, **options: Any) -> Any:
    """Return what `config --format json` prints, with ``/DIR`` for the folder."""
    text = render_json(load_texts(folder, texts, **options).tree)
    return json.loads(text.replace(str(folder), "/DIR"))


def rendered_service(
    folder: Path, texts: dict[str, str] | str, /, name: str = "a", **options: Any
) -> Any:
    """Return one service of what `config` prints, without the keys that every service has."""
    tree = rendered(folder, texts, **options)["services"][name]
    bare = {"command": None, "entrypoint": None, "networks": {"default": None}}
    return {key: value for key, value in tree.items() if key not in bare or bare[key] != value}
