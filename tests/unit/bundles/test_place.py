"""Which folder a user means by the name or the path of a bundle."""

from pathlib import Path

import pytest

from cntnr_compose.bundles import place
from cntnr_compose.core.names import NameInvalid


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_is_of_the_store_and_a_path_of_any_folder(home: Path) -> None:
    web = place.locate("web")
    assert (web.path, web.is_custom) == (home / "data/cntnr/bundles/web", False)
    for reference, path in (
        (".", home), ("..", home.parent), ("./a", home / "a"), ("../b", home.parent / "b"),
        ("~/c", home / "c"), (f"{home}/d/", home / "d"),
    ):  # fmt: skip
        custom = place.locate(reference)
        assert (custom.path, custom.is_custom, custom.name) == (path, True, path.name)


@pytest.mark.parametrize("name", ["a/b", ".hidden", "-b", "a b", "", "x" * 300])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid):
        place.locate(name)


@pytest.mark.parametrize("path", ['./a"b', "./a\\b", "./a\nb"])
def test_a_path_that_hooks_cannot_be_told_is_refused(path: str) -> None:
    with pytest.raises(place.BundlePathInvalid):
        place.locate(path)


def test_what_is_not_there_is_named_with_what_is_near(home: Path) -> None:
    (home / "data/cntnr/bundles/firefox").mkdir(parents=True)
    (home / "data/cntnr/bundles/.draft").mkdir()
    assert [each.name for each in place.list_places()] == ["firefox"]
    with pytest.raises(place.NoSuchBundle) as caught:
        place.require("fierfox")
    assert caught.value.hint == "did you mean firefox?"
