"""What services mount of the host and cannot."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.project import mount_sources
from cntnr_compose.cli.project.mount_sources import find_missing_sources
from cntnr_compose.host.namespaces import subids


def bind(source: Path, target: str = "/x", *, make: bool = True, **more: Any) -> dict[str, Any]:
    options = {"create_host_path": True} if make else {}
    return {"type": "bind", "source": str(source), "target": target, "bind": options, **more}


def reasons(*volumes: dict[str, Any], others: tuple[dict[str, Any], ...] = ()) -> list[str]:
    tree = {"services": {"a": {"volumes": list(volumes)}, "b": {"volumes": list(others)}}}
    return [one.message.partition("a: ")[2] for one in find_missing_sources(tree, {"a"})]


def test_what_exists_or_can_be_made_is_fine(tmp_path: Path) -> None:
    (tmp_path / "file.conf").write_text("")
    assert not reasons(
        bind(tmp_path), bind(tmp_path / "new/deep"), bind(tmp_path / "file.conf", "/etc/file.conf"),
        bind(tmp_path / "conf.d", "/etc/conf.d"), bind(tmp_path / "my.app", "/opt/my.app"),
        bind(Path("/run/docker.sock")), {"type": "volume", "target": "/y"},
    )  # fmt: skip


def test_what_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    monkeypatch.setattr(mount_sources.os, "access", lambda path, _: path != tmp_path / "closed")
    (tmp_path / "closed").mkdir()
    assert reasons(
        bind(tmp_path / "absent", make=False),
        bind(tmp_path / "a.yml", "/b.yml"),
        bind(tmp_path / "file/below"),
        bind(tmp_path / "link"),
        bind(tmp_path / "closed/new"),
    ) == [
        "it does not exist",
        "it does not exist, and looks like a file",
        f"{tmp_path}/file is a file",
        "it is a link that leads nowhere",
        f"it cannot be made: this user may not write to {tmp_path}/closed",
    ]
    monkeypatch.setattr(subids, "is_subordinate", lambda _: True)  # inside, it may be written
    assert not reasons(bind(tmp_path / "closed/new"))


def test_what_another_service_may_make_is_left_to_it(tmp_path: Path) -> None:
    missing = bind(tmp_path / "out/a.yml", "/a.yml")
    assert reasons(missing, bind(tmp_path / "out"))
    assert not reasons(missing, others=(bind(tmp_path / "out"),))
    assert reasons(missing, others=(bind(tmp_path / "out", read_only=True),))


def test_files_and_devices_of_the_project(tmp_path: Path) -> None:
    tree: dict[str, Any] = {
        "services": {
            "a": {"volumes": [{"type": "volume", "source": "v"}], "secrets": [{"source": "s"}]},
        },
        "volumes": {"v": {"driver_opts": {"device": f"{tmp_path}/v"}}, "unused": None},
        "secrets": {"s": {"file": f"{tmp_path}/s"}, "unused": {"file": "/absent"}},
    }
    assert [one.path for one in find_missing_sources(tree, {"a"})] == [
        ("volumes", "v", "driver_opts", "device"),
        ("secrets", "s", "file"),
    ]
    (tmp_path / "v").mkdir()
    (tmp_path / "s").write_text("")
    assert find_missing_sources(tree, {"a"}) == []


def test_subordinate_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subids, "user_name", lambda: "me")
    lines = ["you:1000:10", "me:5000:10", "me:x:y"]
    monkeypatch.setattr(subids, "_read_ranges", lambda _kind: lines)
    assert [uid for uid in (1000, 4999, 5000, 5009, 5010) if subids.is_subordinate(uid)] == [
        5000,
        5009,
    ]
