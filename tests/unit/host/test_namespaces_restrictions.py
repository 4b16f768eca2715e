"""What forbids user namespaces is told where none can be made, and only there."""

import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cntnr_compose.host import kernel, process
from cntnr_compose.host.namespaces import restrictions, trial
from cntnr_compose.host.namespaces.restrictions import NamespacesForbidden

DEBIAN, ALL = "kernel.unprivileged_userns_clone", "user.max_user_namespaces"
PROGRAM = "/usr/bin/rootlesskit"
REFUSED = "unshare: Operation not permitted"
Host = Callable[..., list[str]]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    """Make a host of settings, a result of trials, profiles of AppArmor; note the trials."""

    def make(
        settings: dict[str, int], refusal: str, *, profile: str = "", holder: object = None
    ) -> list[str]:
        tried: list[str] = []

        def try_one() -> tuple[str, str]:
            tried.append(refusal)
            return refusal, ""

        (tmp_path / "local").mkdir(exist_ok=True)
        (tmp_path / "other").write_text("profile other /usr/bin/rootlesskit-other {}")
        if profile:
            (tmp_path / profile).write_text(f"profile rootlesskit {PROGRAM} {{}}")
        monkeypatch.setattr(process, "find_program", lambda _: PROGRAM)
        monkeypatch.setattr(
            kernel, "read_sysctl", lambda name, *, default: settings.get(name, default)
        )
        monkeypatch.setattr(trial, "try_user_namespace", try_one)
        monkeypatch.setattr(restrictions, "find_holder", lambda: holder)
        monkeypatch.setattr(restrictions, "PROFILES", tmp_path)
        return tried

    return make


@pytest.mark.parametrize(
    ("setting", "value", "reason", "command"),
    [
        (DEBIAN, 0, "is 0: only root may make user namespaces", f"sysctl -w {DEBIAN}=1"),
        (ALL, 0, "is 0: nobody may make user namespaces", f"sysctl -w {ALL}=15000"),
        (restrictions.APPARMOR_SETTING, 1, "AppArmor", "apparmor_parser -r"),
    ],
)
def test_the_setting_and_the_command_are_named(
    host: Host, setting: str, value: int, reason: str, command: str
) -> None:
    tried = host({setting: value}, REFUSED)
    with pytest.raises(NamespacesForbidden, match=f"{REFUSED}; .*{reason}") as refused:
        restrictions.check_namespaces()
    assert refused.value.hint.startswith("an administrator can allow them: sudo ")
    assert command in refused.value.hint
    assert tried == [REFUSED]
    with pytest.raises(NamespacesForbidden):
        restrictions.raise_restriction()


def test_all_that_forbid_are_told_at_once(host: Host) -> None:
    host({DEBIAN: 0, ALL: 0}, REFUSED)
    with pytest.raises(NamespacesForbidden) as refused:
        restrictions.check_namespaces()
    assert DEBIAN in str(refused.value)
    assert ALL in str(refused.value)
    assert " && sudo " in refused.value.hint


@pytest.mark.parametrize("setting", [DEBIAN, restrictions.APPARMOR_SETTING])
def test_who_can_make_namespaces_all_the_same_is_not_refused(host: Host, setting: str) -> None:
    tried = host({setting: int(setting != DEBIAN)}, "")
    restrictions.check_namespaces()  # as root, or by a profile for rootlesskit
    assert tried == [""]
    restrictions.raise_restriction()


def test_nothing_is_tried_without_need(host: Host) -> None:
    tried = host({}, REFUSED)
    restrictions.check_namespaces()
    restrictions.raise_restriction()
    assert tried == []
    tried = host({DEBIAN: 0}, REFUSED, holder=SimpleNamespace())
    restrictions.check_namespaces()  # containers start in the holder that runs
    assert tried == []


@pytest.mark.parametrize("name", ["cntnr-rootlesskit", "rootlesskit"])
def test_a_profile_that_is_there_is_loaded_not_installed(host: Host, name: str) -> None:
    tried = host({restrictions.APPARMOR_SETTING: 1}, REFUSED, profile=name)
    restrictions.check_namespaces()  # rootlesskit itself is the trial
    assert tried == []
    with pytest.raises(NamespacesForbidden, match="may not be loaded") as refused:
        restrictions.raise_restriction()
    assert refused.value.hint.endswith(f"sudo apparmor_parser -r {restrictions.PROFILES / name}")


def test_the_profile_is_shipped_for_each_place_of_rootlesskit() -> None:
    text = restrictions.PROFILE.read_text()
    for path in restrictions.PROFILE_PATHS:
        assert f" {path} flags=(unconfined) {{\n  userns,\n" in text
        assert restrictions.profile_command(path).startswith("sudo install -m 644 ")
    # AppArmor takes none of two profiles for one program, but the later one of two of one name.
    assert f"\nprofile rootlesskit {restrictions.PROFILE_PATHS[0]} " in text


def test_rootlesskit_elsewhere_gets_a_profile_of_its_path(tmp_path: Path) -> None:
    program, target = "/home/ann/my bin/rootlesskit", tmp_path / "cntnr-rootlesskit"
    command = restrictions.profile_command(program).partition(" && ")[0].removeprefix("sudo ")
    *_, script = shlex.split(command)
    sed, text, file = shlex.split(script.partition(" >")[0])
    assert (sed, file) == ("sed", str(restrictions.PROFILE))
    assert text == f"s,/usr/local/bin/rootlesskit,{program},"
    assert script.endswith(f" >{restrictions.PROFILES}/{target.name}")
