"""Mounts of a container: docker's defaults and the service's own."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.inputs import Reductions, ResolvedMount, SpecInputs
from cntnr_compose.containers.spec.mounts import (
    MountInvalid,
    build_mounts,
    choose_rootfs_propagation,
    list_mode_folders,
)
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import EngineOptions, Service

DEFAULTS = ["/proc", "/dev", "/dev/pts", "/sys", "/dev/mqueue", "/dev/shm"]


def build(
    service: dict[str, Any] | None = None,
    inputs: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    reductions: Reductions | None = None,
) -> list[dict[str, Any]]:
    return build_mounts(
        Service(name="web", **(service or {})),
        SpecInputs(id="a1", rootfs="/r", **(inputs or {})),
        HostFacts(**(facts or {})),
        reductions or Reductions("web"),
    )


def at(path: str, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    [match] = [mount for mount in mounts if mount["destination"] == path]
    return match


def bound(**more: Any) -> dict[str, Any]:
    facts = more.pop("facts", None)
    mount = ResolvedMount(target="/data", source="/v", **more)
    return at("/data", build(inputs={"mounts": (mount,)}, facts=facts))


def test_defaults_are_dockers() -> None:
    mounts = build()
    assert [one["destination"] for one in mounts] == DEFAULTS
    assert "ro" in at("/sys", mounts)["options"]
    assert "size=67108864" in at("/dev/shm", mounts)["options"]
    assert "gid=5" in at("/dev/pts", mounts)["options"]


def test_terminals_have_no_group_where_that_does_not_exist() -> None:
    assert "gid=5" not in at("/dev/pts", build(facts={"mapped_ids": 1}))["options"]


def test_shm_size_is_the_services() -> None:
    assert "size=1024" in at("/dev/shm", build({"shm_size": 1024}))["options"]


def test_privileged_may_write_to_sys_even_on_a_read_only_root() -> None:
    mounts = build({"privileged": True, "read_only": True})
    assert "ro" not in at("/sys", mounts)["options"]


def test_network_of_the_host_needs_the_sysfs_that_is_there() -> None:
    mount = at("/sys", build(inputs={"network": "host"}))
    assert (mount["type"], mount["source"]) == ("bind", "/sys")
    assert mount["options"] == ["rbind", "rprivate", "rro"]
    old = at("/sys", build(inputs={"network": "host"}, facts={"kernel": (5, 11)}))
    assert {"ro", "nosuid", "noexec", "nodev"} < set(old["options"])
    assert at("/sys", build(inputs={"network": "/ns"}))["type"] == "sysfs"


def test_ipc_of_the_host_binds_what_the_host_has() -> None:
    mounts = build({"ipc": "host"}, {"ipc": "host"})
    assert at("/dev/shm", mounts)["source"] == "/dev/shm"
    assert at("/dev/mqueue", mounts)["type"] == "bind"
    without = build({"ipc": "host"}, {"ipc": "host"}, {"has_mqueue": False})
    assert "/dev/mqueue" not in [one["destination"] for one in without]


def test_ipc_of_another_service_shares_its_shm() -> None:
    mount = at("/dev/shm", build({"ipc": "service:db"}, {"ipc": "/ns", "shm": "/run/shm"}))
    assert (mount["type"], mount["source"]) == ("bind", "/run/shm")


def test_ipc_none_has_no_shm() -> None:
    assert "/dev/shm" not in [one["destination"] for one in build({"ipc": "none"})]


def test_cgroups_are_shown_where_they_are_ours_or_asked_for() -> None:
    assert "/sys/fs/cgroup" not in [one["destination"] for one in build()]
    own = at("/sys/fs/cgroup", build(facts={"controllers": ("memory",)}))
    assert own["type"] == "cgroup"
    assert "ro" in own["options"]
    assert at("/sys/fs/cgroup", build({"privileged": True}))["type"] == "cgroup2"
    asked = at("/sys/fs/cgroup", build({"engine": EngineOptions(mount_cgroups="ro")}))
    assert (asked["type"], "ro" in asked["options"]) == ("cgroup2", True)
    host = at("/sys/fs/cgroup", build({"cgroup": "host"}))
    assert (host["type"], host["source"]) == ("bind", "/sys/fs/cgroup")


def test_init_is_bound_where_it_runs() -> None:
    tini = {"init_path": "/usr/bin/tini-static"}
    assert at("/sbin/docker-init", build({"init": True}, facts=tini))["source"] == tini["init_path"]
    for inputs, facts in (({"pid": "/ns"}, tini), ({"pid": "host"}, tini), ({}, {})):
        mounts = build({"init": True}, inputs, facts)
        assert "/sbin/docker-init" not in [one["destination"] for one in mounts]


def test_files_are_read_only_where_the_root_is() -> None:
    files = {"etc_files": {"/etc/hosts": "/b/hosts"}}
    assert at("/etc/hosts", build(inputs=files))["options"] == ["rbind", "rprivate"]
    assert "rro" in at("/etc/hosts", build({"read_only": True}, files))["options"]


def test_outer_mounts_come_before_inner_ones() -> None:
    inner, outer = (ResolvedMount(target=path, source="/v") for path in ("/a/b/c", "/a"))
    mounts = build({"tmpfs": ("/a/b",)}, {"mounts": (inner, outer)})
    assert [one["destination"] for one in mounts] == [*DEFAULTS, "/a", "/a/b", "/a/b/c"]


def test_mount_takes_the_place_of_a_default_or_file() -> None:
    places = ("/dev/shm", "/etc/hosts/", "/run")
    own = tuple(ResolvedMount(target=path, source="/v") for path in places)
    mounts = build({"tmpfs": ("/run",)}, {"mounts": own, "etc_files": {"/etc/hosts": "/b/hosts"}})
    for path in ("/dev/shm", "/etc/hosts", "/run"):
        assert at(path, mounts)["source"] == "/v"


def test_own_dev_takes_the_place_of_all_that_is_in_it() -> None:
    mounts = build(inputs={"mounts": (ResolvedMount(target="/dev", source="/dev"),)})
    assert [one["destination"] for one in mounts] == ["/proc", "/sys", "/dev"]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, ["rbind", "rprivate"]),
        ({"propagation": "rslave"}, ["rbind", "rslave"]),
        ({"recursive": "disabled"}, ["bind", "rprivate"]),
        ({"read_only": True}, ["rbind", "rprivate", "rro"]),
        ({"read_only": True, "recursive": "disabled"}, ["bind", "rprivate", "rro"]),
        ({"read_only": True, "recursive": "readonly"}, ["rbind", "rprivate", "rro"]),
        (
            {"read_only": True, "recursive": "writable", "flags": ("nodev",)},
            ["rbind", "rprivate", "ro", "nodev"],
        ),
        (
            {"read_only": True, "flags": ("nosuid",), "facts": {"kernel": (5, 11)}},
            ["rbind", "rprivate", "ro", "nosuid"],
        ),
        ({"type": "image"}, ["rbind", "rprivate", "rro"]),
        ({"type": "volume"}, ["rbind", "rprivate"]),
    ],
)
def test_bind_is_as_asked(fields: dict[str, Any], options: list[str]) -> None:
    mount = bound(**fields)
    assert (mount["type"], mount["source"], mount["options"]) == ("bind", "/v", options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ""),
        (["rslave"], "rslave"),
        (["slave", "shared"], "shared"),
        (["rprivate"], ""),
    ],
)
def test_root_shares_as_far_as_a_mount_does(options: list[str], expected: str) -> None:
    assert choose_rootfs_propagation([{"options": [one]} for one in options]) == expected


def test_what_a_bind_cannot_be_is_said() -> None:
    reductions = Reductions("web")
    mount = ResolvedMount(target="/d", source="/v", propagation="rshared", not_relabelled="no")
    build(inputs={"mounts": (mount,)}, reductions=reductions)
    assert reductions.warnings == (
        "services.web.volumes.bind.propagation: rshared does not reach beyond our containers",
        "services.web.volumes.bind.selinux: /v is not relabelled: no",
    )


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("/t", ["nosuid", "noexec", "nodev", "rprivate"]),
        ("/t:", ["nosuid", "noexec", "nodev", "rprivate"]),
        ("/t:size=64m,mode=700", ["nosuid", "noexec", "nodev", "size=64m", "mode=700", "rprivate"]),
        ("/t/:exec,uid=1000", ["nosuid", "nodev", "exec", "uid=1000", "rprivate"]),
        ("/t:rw,nosuid,defaults", ["noexec", "nodev", "rw", "nosuid", "rprivate"]),
    ],
)
def test_short_tmpfs_says_its_options(word: str, options: list[str]) -> None:
    mount = at("/t", build({"tmpfs": (word,)}))
    assert (mount["type"], mount["options"]) == ("tmpfs", options)


def test_a_tmpfs_with_a_mode_covers_a_folder_of_that_mode() -> None:
    """For runc gives it the mode of what it covers."""
    words = ("/a:mode=0700", "/b:uid=5", "/c:mode=9", "/d:mode=70000", "/e/f:mode=700,mode=1777")
    deep = ResolvedMount(type="tmpfs", target="/a/b", mode=0o770)
    mounts = build({"tmpfs": words}, {"tmpfs_mode_folder": "/m", "mounts": (deep,)})[
        len(DEFAULTS) :
    ]
    assert [(one["destination"], one["source"]) for one in mounts] == [
        ("/a", "/m/700"), ("/a", "tmpfs"), ("/b", "tmpfs"), ("/c", "tmpfs"), ("/d", "tmpfs"),
        ("/e/f", "/m/1777"), ("/e/f", "tmpfs"), ("/a/b", "/m/770"), ("/a/b", "tmpfs"),
    ]  # fmt: skip
    assert list_mode_folders(mounts, "/m") == {"/m/700": 0o700, "/m/1777": 0o1777, "/m/770": 0o770}


def test_long_tmpfs_says_size_and_mode() -> None:
    tmpfs = ResolvedMount(type="tmpfs", target="/t", size=4096, mode=0o700, read_only=True)
    mount = at("/t", build(inputs={"mounts": (tmpfs,)}))
    assert mount["options"] == [
        "nosuid", "noexec", "nodev", "rprivate", "size=4096", "mode=700", "ro",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tmpfs", "mount", "message"),
    [
        (("/t:speed=9",), {}, 'cannot mount "/t" in service web: invalid tmpfs option "speed=9"'),
        (("/t:size",), {}, 'cannot mount "/t" in service web: invalid tmpfs option "size"'),
        (("t",), {}, 'cannot mount "t" in service web: mount path must be absolute'),
        ((), {"target": "/"}, "cannot mount \"/\" in service web: destination can't be '/'"),
        ((), {"target": "/.."}, "cannot mount \"/..\" in service web: destination can't be '/'"),
        ((), {"target": "data"}, 'cannot mount "data" in service web: mount path must be absolute'),
        (
            (),
            {"target": "/d", "propagation": "far"},
            'cannot mount "/d" in service web: "far" is no propagation',
        ),
    ],
)
def test_mount_that_cannot_be_is_refused(
    tmpfs: tuple[str, ...], mount: dict[str, Any], message: str
) -> None:
    own = (ResolvedMount(source="/v", **mount),) if mount else ()
    with pytest.raises(MountInvalid) as caught:
        build({"tmpfs": tmpfs}, {"mounts": own})
    assert str(caught.value) == message


def test_read_only_all_the_way_down_takes_a_kernel_that_can() -> None:
    with pytest.raises(MountInvalid, match=r"recursive: readonly takes Linux 5\.12"):
        bound(read_only=True, recursive="readonly", facts={"kernel": (5, 11)})
