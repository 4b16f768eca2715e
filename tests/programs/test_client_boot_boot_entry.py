"""Containers are started after a reboot by the user's systemd, or by cron."""

import os
from pathlib import Path

import pytest

from cntnr_compose.cli.flows import boot
from cntnr_compose.client.boot import boot_entry, user_unit
from cntnr_compose.client.boot.boot_entry import NoBootService
from cntnr_compose.core import paths
from cntnr_compose.core.events import Emit, Event, WarningEvent
from cntnr_compose.host import cgroups, kernel
from cntnr_compose.host.systemd import logind
from tests.fakes.programs import Programs

CRON = """
tab="$HOME/crontab"
case $1 in
  -l) [ -f "$tab" ] || { echo "no crontab for you" >&2; exit 1; }; cat "$tab" ;;
  -) cat >"$tab" ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home whose path needs quoting, on a machine without systemd."""
    home = tmp_path / "100% of $HOME's"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(logind, "BOOTED", tmp_path / "no")
    monkeypatch.setattr(logind, "LINGER_FOLDER", tmp_path / "linger")
    monkeypatch.setattr(logind, "POLKIT_SERVICE", tmp_path / "no")
    monkeypatch.setattr(logind, "user_name", lambda: "ann")
    monkeypatch.setattr("cntnr_compose.host.namespaces.subids.user_name", lambda: "ann")
    return home


@pytest.fixture
def systemd(home: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Have systemd run the machine, without polkit: nobody but root may turn linger on."""
    assert home
    monkeypatch.setattr(logind, "BOOTED", programs.folder)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    programs.add("systemctl")
    programs.add(
        "loginctl", "case $1 in show-session) echo KillUserProcesses=no;; *) exit 1;; esac"
    )
    return programs


def test_cron_starts_them_where_there_is_no_systemd(home: Path, programs: Programs) -> None:
    programs.add("crontab", CRON)
    crontab = home / "crontab"
    assert boot_entry.install("shop").kind == "cron"
    assert crontab.read_text().startswith("@reboot /bin/sh '")
    assert "/100\\% of $HOME'\"'\"'s/.local/share/cntnr/boot/shop.sh' # cntnr: shop\n" in (
        crontab.read_text()
    )
    crontab.write_text(f"5 4 * * * mine\n{crontab.read_text()}")
    boot_entry.install("shop")
    boot_entry.install("shop2")
    assert [line.partition("# ")[2] for line in crontab.read_text().splitlines()] == [
        "", "cntnr: shop", "cntnr: shop2",
    ]  # fmt: skip
    script = paths.boot_script("shop").read_text()
    assert script.splitlines()[-1].endswith("compose -p shop start --after-boot")
    assert "export PATH=" in script
    assert boot_entry.remove("shop")
    assert not boot_entry.remove("shop")
    assert boot_entry.remove("shop2")
    assert crontab.read_text() == "5 4 * * * mine\n"
    assert not paths.boot_script("shop").parent.exists()


def test_a_crontab_that_cannot_be_read_is_left_alone(home: Path, programs: Programs) -> None:
    programs.add("crontab", "echo broken >&2; exit 3")
    with pytest.raises(Exception, match="broken"):
        boot_entry.install("shop")
    assert not paths.boot_script("shop").exists()
    assert not (home / "crontab").exists()


def test_systemd_starts_them_at_boot_where_the_user_lingers(
    home: Path, systemd: Programs, tmp_path: Path
) -> None:
    installed = boot_entry.install("shop")
    assert (installed.kind, installed.runs_at_boot, installed.is_new) == ("systemd", False, True)
    assert systemd.calls("loginctl") == [["--no-ask-password", "enable-linger", "ann"]]
    units = home / ".config/systemd/user"
    text = (units / "cntnr-shop.service").read_text()
    script = str(paths.boot_script("shop"))
    assert f'/bin/sh "{script.replace("%", "%%").replace("$", "$$")}"\n' in text
    assert f"ConditionPathExists={script.replace('%', '%%')}\n" in text
    link = units / "default.target.wants/cntnr-shop.service"
    assert link.resolve() == units / "cntnr-shop.service"
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger/ann").touch()
    again = boot_entry.install("shop")
    assert (again.runs_at_boot, again.is_new, again.turned_linger_on) == (True, False, False)
    assert len(systemd.calls("loginctl")) == 1
    assert not systemd.calls("systemctl")
    assert boot_entry.remove("shop")
    assert not link.parent.exists()
    assert list(units.glob("*.service")) == []
    assert systemd.calls("systemctl") == [["--user", "daemon-reload"]]
    assert not paths.boot_script("shop").parent.exists()


def test_cron_starts_them_where_linger_cannot_be_turned_on(
    home: Path, systemd: Programs, tmp_path: Path
) -> None:
    systemd.add("crontab", CRON)
    assert boot_entry.install("shop").kind == "systemd"  # as `up` does: the crontab is the user's
    assert not systemd.calls("crontab")
    assert boot_entry.install("shop", again=True).kind == "cron"
    assert user_unit.path("shop").exists()  # for what a logout kills
    assert (home / "crontab").read_text().endswith("# cntnr: shop\n")
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger/ann").touch()
    assert boot_entry.install("shop").kind == "systemd"
    assert (home / "crontab").read_text() == ""
    (tmp_path / "linger/ann").unlink()
    boot_entry.install("shop", again=True)
    assert boot_entry.disable("shop")
    assert (home / "crontab").read_text() == ""
    boot_entry.install("shop", again=True)
    assert boot_entry.remove("shop")
    assert (home / "crontab").read_text() == ""
    assert not paths.boot_script("shop").parent.exists()


def test_who_may_have_no_crontab_has_the_unit(systemd: Programs) -> None:
    systemd.add("crontab", "echo 'You (ann) are not allowed to use this program' >&2; exit 1")
    installed = boot_entry.install("shop", again=True)
    assert (installed.kind, installed.runs_at_boot) == ("systemd", False)
    assert user_unit.path("shop").exists()


def test_a_unit_that_cannot_be_written_leaves_nothing(home: Path, systemd: Programs) -> None:
    assert systemd
    (home / ".config").mkdir()
    (home / ".config/systemd").touch()
    with pytest.raises(OSError, match="Not a directory"):
        boot_entry.install("shop")
    assert not paths.boot_script("shop").parent.exists()


def test_the_boot_is_noted(home: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home
    programs.add("crontab", CRON)
    assert boot_entry.note_boot("shop")  # nothing is known
    boot_entry.install("shop")
    assert not boot_entry.note_boot("shop")
    monkeypatch.setattr(kernel, "boot_id", lambda: "another")
    assert [boot_entry.note_boot("shop") for _ in range(2)] == [True, False]


@pytest.fixture
def told(home: Path) -> list[str]:
    assert home
    paths.data().mkdir(parents=True)
    return []


def note_in(told: list[str]) -> Emit:
    def note(event: Event) -> None:
        assert isinstance(event, WarningEvent)
        told.append(event.text)

    return note


def arrange(told: list[str], policy: str = "always") -> None:
    boot.arrange_boot("shop", {policy, "no"}, note_in(told))


def test_up_installs_it_where_there_is_systemd(systemd: Programs, told: list[str]) -> None:
    arrange(told, "on-failure")
    assert not paths.boot_script("shop").exists()
    arrange(told)
    arrange(told)
    assert paths.boot_script("shop").exists()
    after = "containers start again at your next login, not at boot"
    assert told == [f"{after}, until `sudo loginctl enable-linger ann`"]
    assert boot_entry.disable("shop")
    arrange(told)
    assert not paths.boot_script("shop").exists()
    boot_entry.install("shop")
    assert not boot_entry.is_disabled("shop")
    assert systemd.calls("systemctl")


def test_up_names_cron_where_linger_is_off(systemd: Programs, told: list[str]) -> None:
    systemd.add("crontab", CRON)
    arrange(told)
    assert told[0].endswith(
        "until `sudo loginctl enable-linger ann` or `cntnr compose enable`, by cron"
    )


def outlast(told: list[str]) -> None:
    boot.outlast_logout(note_in(told))


def test_up_tells_once_of_logouts_that_kill(
    systemd: Programs, told: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    systemd.add("loginctl", "echo KillUserProcesses=yes")
    monkeypatch.setattr(logind, "POLKIT_SERVICE", tmp_path)
    outlast(told)
    outlast(told)
    until = "until `loginctl enable-linger ann`, then `cntnr compose up -d`"
    assert told == [f"containers end when you log out, {until}"]
    assert len(systemd.calls("loginctl")) == 1


def test_up_tells_of_logouts_that_kill_although_linger_is_on(
    systemd: Programs, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger/ann").touch()
    systemd.add("loginctl", "echo KillUserProcesses=yes")
    monkeypatch.setattr(cgroups, "is_unified", lambda: False)  # there is no scope
    outlast(told)
    assert told == ["containers end when you log out (KillUserProcesses=yes in logind.conf)"]


def test_up_says_nothing_of_logouts_that_containers_outlast(
    systemd: Programs, told: list[str]
) -> None:
    outlast(told)
    outlast(told)
    assert told == []
    assert len(systemd.calls("loginctl")) == 1


def test_up_turns_linger_on_where_polkit_allows_it(
    systemd: Programs, told: list[str], tmp_path: Path
) -> None:
    systemd.add("loginctl", f"mkdir -p {tmp_path}/linger; touch {tmp_path}/linger/$3")
    arrange(told)
    assert len(told) == 1
    assert "undo: `loginctl disable-linger ann`" in told[0]


def test_up_goes_on_where_it_cannot_be_installed(
    systemd: Programs, told: list[str], home: Path
) -> None:
    assert systemd
    (home / ".config").touch()
    arrange(told)
    assert len(told) == 1
    assert told[0].startswith("containers do not start after a reboot: ")
    assert "`cntnr compose enable`" in told[0]


def test_up_names_the_command_where_there_is_cron(programs: Programs, told: list[str]) -> None:
    programs.add("crontab", CRON)
    arrange(told)
    arrange(told)
    assert told == [
        "containers do not start after a reboot, unless `cntnr compose enable` has cron do it"
    ]
    assert not programs.calls("crontab")


def test_up_says_nothing_where_nothing_can_start_them(
    told: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(NoBootService, match="neither systemd nor cron"):
        boot_entry.install("shop")
    arrange(told)
    assert told == []


@pytest.mark.parametrize(
    ("values", "kills"),
    [
        ("KillUserProcesses=no", False),
        ("KillUserProcesses=yes", True),
        ("KillUserProcesses=yes\nKillExcludeUsers=root ann", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=bob", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=bob ann", True),
        ("KillUserProcesses=yes\nKillExcludeUsers=", True),
        ("", False),
    ],
)
def test_logind_is_asked_what_it_kills(systemd: Programs, values: str, kills: bool) -> None:
    systemd.add("loginctl", f"cat <<'END'\n{values}\nEND")
    assert logind.kills_at_logout() == kills


def test_root_is_excluded_unless_others_are(
    systemd: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logind, "user_name", lambda: "root")
    systemd.add("loginctl", "printf 'KillUserProcesses=yes\\nKillExcludeUsers=\\n'")
    assert not logind.kills_at_logout()
    systemd.add("loginctl", "printf 'KillUserProcesses=yes\\nKillExcludeUsers=ann\\n'")
    assert logind.kills_at_logout()
