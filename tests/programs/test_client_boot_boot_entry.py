"""Containers are started after a reboot by the user's systemd, or by cron."""

from pathlib import Path

import pytest

from cntnr_compose.client.boot import boot_entry
from cntnr_compose.client.boot.boot_entry import NoBootService
from cntnr_compose.core import paths
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
    monkeypatch.setattr(boot_entry, "SYSTEMD_IS_BOOTED", tmp_path / "no")
    monkeypatch.setattr(boot_entry, "LINGER_FOLDER", tmp_path / "linger")
    return home


@pytest.fixture
def systemd(home: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Programs:
    assert home
    monkeypatch.setattr(boot_entry, "SYSTEMD_IS_BOOTED", programs.folder)
    programs.add("systemctl")
    programs.add("loginctl")
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
    assert (installed.kind, installed.lingers) == ("systemd", False)
    assert systemd.calls("loginctl") == [["--no-ask-password", "enable-linger"]]
    units = home / ".config/systemd/user"
    text = (units / "cntnr-shop.service").read_text()
    script = str(paths.boot_script("shop"))
    assert f'/bin/sh "{script.replace("%", "%%").replace("$", "$$")}"\n' in text
    link = units / "default.target.wants/cntnr-shop.service"
    assert link.resolve() == units / "cntnr-shop.service"
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / boot_entry.subids.user_name()).touch()
    assert boot_entry.install("shop").lingers
    assert len(systemd.calls("loginctl")) == 1
    assert boot_entry.remove("shop")
    assert not link.parent.exists()
    assert list(units.glob("*.service")) == []
    assert systemd.calls("systemctl") == [["--user", "daemon-reload"]] * 3


def test_the_user_hears_of_reboots_once(systemd: Programs, tmp_path: Path) -> None:
    assert systemd
    paths.data().mkdir(parents=True)
    assert [boot_entry.takes_a_word("shop") for _ in range(2)] == [True, False]
    (paths.data() / "told-of-reboots").unlink()
    boot_entry.install("shop")
    assert not boot_entry.takes_a_word("shop")
    assert tmp_path


def test_without_systemd_and_cron_there_is_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(NoBootService, match="neither systemd nor cron"):
        boot_entry.install("shop")
    assert not boot_entry.takes_a_word("shop")
