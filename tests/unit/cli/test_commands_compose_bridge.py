"""`bridge`: what is wrong is told before an image is fetched; transformations are images with a label."""

import json
from pathlib import Path

import pytest

from cntnr_compose.cli.flows.bridge import output
from tests.unit.cli.conftest import Run


def test_without_a_command_its_help_is_shown(cntnr: Run) -> None:
    assert "convert" in cntnr("compose", "bridge").out


def test_there_are_no_transformations_at_first(cntnr: Run) -> None:
    listed = cntnr("compose", "bridge", "transformations", "ls")
    assert (listed.code, listed.out.split()) == (0, ["IMAGE", "ID", "REPO", "TAGS", "SIZE"])
    assert cntnr("compose", "bridge", "transformations", "list", "-q").out == ""
    assert cntnr("compose", "bridge", "transformations", "list", "--format", "json").out == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("convert", "--templates", "none"), "none is no folder"),
        (("transformations", "create", "."), "already exists"),
        (("transformations", "create"), "PATH"),
        (("transformations", "list", "--format", "x"), 'unsupported format "x"'),
    ],
)
def test_mistakes_are_told(cntnr: Run, words: tuple[str, ...], told: str) -> None:
    ran = cntnr("compose", "bridge", *words)
    assert ran.code != 0
    assert told in ran.err


def test_a_folder_of_somebody_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text(json.dumps({}))
    with pytest.raises(output.NotConfirmed):
        output.prepare_output(tmp_path, yes=False)
    assert (tmp_path / "theirs").exists()
    output.prepare_output(tmp_path, yes=True)
    assert not list(tmp_path.iterdir())


def test_links_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (kept / "inner").mkdir(parents=True)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "link").symlink_to(kept)
    output.prepare_output(folder, yes=True)
    assert (kept / "inner").exists()
    assert not list(folder.iterdir())
