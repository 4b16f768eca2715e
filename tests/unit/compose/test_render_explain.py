"""Values with the file and line of their origin."""

from pathlib import Path

from cntnr_compose.compose.render.explain import annotate_origins, list_origins
from cntnr_compose.compose.yaml.writer import CommentedValue
from tests.unit.compose.world import load_texts

TEXTS = {
    "compose.yaml": """services:
  a:
    image: x:$A
    extends: {file: sub/base.yaml, service: b}
""",
    "sub/base.yaml": "services: {b: {user: me}}\n",
}


def comments(folder: Path, cwd: Path) -> dict[str, str]:
    loaded = load_texts(folder, TEXTS, with_provenance=True, cwd=str(folder))
    tree = annotate_origins(loaded.tree, loaded.provenance, str(cwd))
    service = tree["services"]["a"]
    assert all(isinstance(service[key], CommentedValue) for key in ("image", "user"))
    return {key: service[key].comment for key in ("image", "user")}


def test_files_below_the_current_directory_have_relative_paths(tmp_path: Path) -> None:
    assert comments(tmp_path, tmp_path) == {
        "image": "compose.yaml:3 (A: environment)",
        "user": "sub/base.yaml:1",
    }


def test_other_files_have_full_paths(tmp_path: Path) -> None:
    assert comments(tmp_path, tmp_path / "sub") == {
        "image": f"{tmp_path}/compose.yaml:3 (A: environment)",
        "user": "base.yaml:1",
    }


def test_origins_are_listed_for_programs(tmp_path: Path) -> None:
    loaded = load_texts(tmp_path, TEXTS, with_provenance=True)
    rows = {row["Path"]: row for row in list_origins(loaded.tree, loaded.provenance)}
    assert rows["services.a.image"] == {
        "Path": "services.a.image",
        "Value": "x:aa",
        "File": f"{tmp_path}/compose.yaml",
        "Line": 3,
        "Column": 12,
        "Otherwise": "",
        "Variables": [
            {"Name": "A", "File": "", "Line": 0, "Column": 0, "Otherwise": "environment"}
        ],
    }
