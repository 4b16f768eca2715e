"""What `doctor` tells of images: settings, policy, stores, platforms."""

from pathlib import Path

import pytest

from cntnr_compose.cli.flows.images import image_checks
from cntnr_compose.cli.flows.images.image_checks import check_images
from cntnr_compose.core.user_config import config_file
from cntnr_compose.images import quick_catalogue
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import policy
from tests.unit.images.test_store import add


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(policy.VARIABLE, "")
    monkeypatch.setattr(policy, "SYSTEM_FILE", tmp_path / "none.json")
    monkeypatch.setattr(quick_catalogue, "MACHINE_STORE", tmp_path / "machine")
    config_file().parent.mkdir(parents=True)
    return tmp_path


def findings() -> dict[str, tuple[str, str]]:
    return {check.name: (check.state, check.found) for check in check_images()}


def test_without_a_policy_digests_are_what_counts(home: Path) -> None:
    assert findings()["image policy"] == (
        "ok",
        "none: images are accepted whose files match their digests",
    )


def test_a_policy_is_named(home: Path) -> None:
    config_file().write_text('[images]\npolicy = "reject"\n')
    assert findings()["image policy"] == ("ok", "reject")
    (home / "p.json").write_text('{"default": [{"type": "signedBy"}]}')
    config_file().write_text('[images]\npolicy = "~/p.json"\n')
    assert findings()["image policy"] == ("ok", f"{home}/p.json, which asks for signatures")
    (home / "p.json").write_text("{")
    assert findings()["image policy"][0] == "reduced"


def test_wrong_settings_are_told(home: Path) -> None:
    config_file().write_text("[image]\n")
    state, text = findings()["settings"]
    assert state == "missing"
    assert "unknown table image" in text


def test_stores(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "image store" not in findings()
    add(ImageStore(home / "machine"), "docker.io/library/a:1")
    assert findings()["image store"] == ("ok", f"{home}/machine (1 image)")
    (home / "machine/layers").mkdir()
    monkeypatch.setattr(image_checks.squashfs, "can_mount", lambda: False)
    assert findings()["image store"][0] == "reduced"
    monkeypatch.setattr(image_checks.squashfs, "can_mount", lambda: True)
    assert findings()["image store"][0] == "ok"
    config_file().write_text(f'[images]\nadditional-stores = ["{home}/gone"]\n')
    gone = [check for check in check_images() if check.found == f"{home}/gone has no index.json"]
    assert gone[0].state == "reduced"


def test_platforms() -> None:
    state, text = findings()["image platforms"]
    assert state == "ok"
    assert text == "only this machine's own" or text.startswith("emulated: ")
