"""Which policy holds, and what of it reaches skopeo."""

import json
import os
from pathlib import Path

import pytest

from cntnr_compose.core.user_config import config_file
from cntnr_compose.images.errors import PolicyRefused, PolicyUnusable
from cntnr_compose.images.transports import policy
from cntnr_compose.images.transports.policy import ImagePolicy

ANYTHING = [{"type": "insecureAcceptAnything"}]
REJECT = [{"type": "reject"}]
SIGNED = [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/key"}]


@pytest.fixture(autouse=True)
def no_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(policy, "SYSTEM_FILE", tmp_path / "etc/policy.json")
    monkeypatch.setenv(policy.VARIABLE, "")  # so that it is put back after the test


def write(path: Path, tree: object) -> ImagePolicy:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree))
    return ImagePolicy(name=str(path))


def test_the_nearest_policy_holds(tmp_path: Path) -> None:
    assert policy.active_policy() == ImagePolicy()
    system = write(policy.SYSTEM_FILE, {"default": ANYTHING})
    assert policy.active_policy() == system
    user = write(policy.user_file(), {"default": ANYTHING})
    assert policy.active_policy() == user
    config_file().parent.mkdir(parents=True)
    config_file().write_text('[images]\npolicy = "reject"\n')
    assert policy.active_policy().name == "reject"
    policy.choose_policy("insecure")
    assert policy.active_policy().name == "insecure"


def test_a_file_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = write(tmp_path / "mine.json", {"default": ANYTHING})
    monkeypatch.chdir(tmp_path)
    policy.choose_policy("mine.json")
    assert policy.active_policy() == chosen
    assert policy.skopeo_options(chosen) == ("--policy", str(chosen.file))
    monkeypatch.chdir("/")
    policy.choose_policy("~/mine.json")
    assert policy.active_policy() == chosen


def test_reject_refuses_before_anything_is_asked() -> None:
    with pytest.raises(PolicyRefused, match=r"redis:7: the policy reject does not accept it$"):
        policy.check_allowed(ImagePolicy(name="reject"), "docker.io/library/redis:7")
    policy.check_allowed(ImagePolicy(name="insecure"), "docker.io/library/redis:7")
    policy.check_allowed(ImagePolicy(), "docker.io/library/redis:7")


@pytest.mark.parametrize("content", [None, b"{", b"[]", b" " * (2 << 20)])
def test_a_file_that_is_none_is_unusable(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "p").write_bytes(content)
    with pytest.raises(PolicyUnusable, match="cannot use the image policy"):
        policy.choose_policy(str(tmp_path / "p"))


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(PolicyUnusable):
        policy.choose_policy(str(tmp_path / "p"))


@pytest.mark.parametrize(
    ("tree", "needed"),
    [
        ({"default": ANYTHING}, False),
        ({"default": REJECT, "transports": {"docker": {"reg.io": ANYTHING}}}, False),
        ({"default": REJECT, "transports": {"docker": {"reg.io": SIGNED}}}, True),
        ({"default": SIGNED}, True),
        ({"default": [{"type": "sigstoreSigned"}]}, True),
        ({"default": ["odd"]}, True),
        ({"default": None, "transports": [1]}, False),
    ],
)
def test_signatures_are_needed_where_a_scope_asks_for_them(
    tmp_path: Path, tree: object, needed: bool
) -> None:
    assert policy.requires_signatures(write(tmp_path / "p", tree)) is needed


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ({}, ANYTHING),
        ({"": REJECT}, REJECT),
        ({"{place}": SIGNED, "": REJECT}, SIGNED),
        ({"{place}/a.tar": SIGNED, "{place}": REJECT}, SIGNED),
    ],
)
def test_what_holds_for_an_archive_holds_when_it_is_unpacked(
    tmp_path: Path, scopes: dict[str, object], expected: object
) -> None:
    place = os.path.realpath(tmp_path)
    tree = {
        "default": ANYTHING,
        "transports": {
            "oci-archive": {name.format(place=place): value for name, value in scopes.items()},
            "oci": {"": REJECT},
        },
    }
    chosen, target = write(tmp_path / "p", tree), tmp_path / "out"
    ref = f"oci-archive:{tmp_path}/a.tar:1"
    assert policy.write_archive_policy(chosen, ref, target) == ("--policy", str(target))
    assert json.loads(target.read_text()) == {"default": expected}


def test_without_a_file_archives_need_none(tmp_path: Path) -> None:
    options = policy.write_archive_policy(ImagePolicy(), "oci-archive:/a", tmp_path / "out")
    assert options == ("--insecure-policy",)
    assert not (tmp_path / "out").exists()
