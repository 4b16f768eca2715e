"""The OCI runtime spec of a service as a whole."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.capabilities import ALL, DEFAULT, build_capability_sets
from cntnr_compose.containers.spec.inputs import DeviceNode, ResolvedMount, SpecInputs, SpecResult
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.containers.spec.seccomp import SeccompProfileInvalid
from cntnr_compose.core.values import to_json
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Device, Limits, Service, Ulimit

PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}],
}
FACTS = HostFacts(seccomp_profile=PROFILE, init_path="/usr/bin/tini-static")


def build(
    service: dict[str, Any] | None = None,
    image: ImageConfig | None = None,
    inputs: dict[str, Any] | None = None,
    facts: HostFacts = FACTS,
) -> SpecResult:
    return build_runtime_spec(
        Service(name="web", **{"command": ("serve",), **(service or {})}),
        image or ImageConfig(),
        SpecInputs(id="a1", rootfs="/r", **{"hostname": "box", **(inputs or {})}),
        facts,
    )


def test_plain_service_gets_dockers_defaults() -> None:
    spec = build().spec
    assert spec["ociVersion"] == "1.0.2"
    assert spec["root"] == {"path": "/r", "readonly": False}
    assert spec["hostname"] == "box"
    assert spec["process"] == {
        "terminal": False,
        "user": {"uid": 0, "gid": 0, "additionalGids": [0]},
        "args": ["serve"],
        "env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME=box",
        ],
        "cwd": "/",
        "capabilities": build_capability_sets(DEFAULT, 0),
        "rlimits": [],
        "noNewPrivileges": False,
    }
    assert "/proc/kcore" in spec["linux"]["maskedPaths"]
    assert "/proc/sys" in spec["linux"]["readonlyPaths"]
    assert spec["linux"]["seccomp"]["syscalls"] == [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]
    assert spec["linux"]["resources"] == {}
    assert "hooks" not in spec
    assert build().warnings == ()


def test_cgroup_is_not_named_where_none_may_be_made() -> None:
    assert "cgroupsPath" not in build().spec["linux"]
    facts = HostFacts(controllers=("memory",), cgroup_parent="/user")
    assert build(facts=facts).spec["linux"]["cgroupsPath"] == "/user/a1"


def test_service_wins_over_image() -> None:
    image = ImageConfig(user="7:8", working_dir="/image", cmd=("image",))
    result = build({"command": None}, image)
    assert (result.uid, result.gid) == (7, 8)
    assert result.spec["process"]["cwd"] == "/image"
    assert result.spec["process"]["args"] == ["image"]
    own = build({"user": "9", "working_dir": "/own"}, image)
    assert (own.uid, own.gid) == (9, 0)
    assert own.spec["process"]["cwd"] == "/own"
    assert own.spec["process"]["args"] == ["serve"]


def test_init_runs_before_the_command() -> None:
    result = build({"init": True})
    assert result.spec["process"]["args"] == ["/sbin/docker-init", "--", "serve"]
    assert result.warnings == ()
    joined = build({"init": True, "pid": "service:db"}, inputs={"pid": "/proc/7/ns/pid"})
    assert joined.spec["process"]["args"] == ["serve"]
    without = build({"init": True}, facts=HostFacts())
    assert without.spec["process"]["args"] == ["serve"]
    assert without.warnings == (
        "services.web.init: not honoured, since there is no statically linked tini here",
    )


def test_privileged_has_no_shields() -> None:
    spec = build({"privileged": True}).spec
    assert spec["process"]["capabilities"]["effective"] == list(ALL)
    assert not {"seccomp", "maskedPaths", "readonlyPaths"} & set(spec["linux"])


@pytest.mark.parametrize(
    ("word", "missing"),
    [
        ("seccomp=unconfined", {"seccomp"}),
        ("systempaths=unconfined", {"maskedPaths", "readonlyPaths"}),
    ],
)
def test_shields_are_taken_away_one_by_one(word: str, missing: set[str]) -> None:
    linux = build({"security_opt": (word,)}).spec["linux"]
    assert {"seccomp", "maskedPaths", "readonlyPaths"} - set(linux) == missing


def test_own_seccomp_profile_takes_the_place_of_the_default() -> None:
    service = {"security_opt": ("seccomp=p.json",), "privileged": True}
    own = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}
    linux = build(service, inputs={"seccomp": own}).spec["linux"]
    assert linux["seccomp"]["defaultAction"] == "SCMP_ACT_ALLOW"
    with pytest.raises(SeccompProfileInvalid) as caught:
        build(service)
    assert str(caught.value) == "cannot use the seccomp profile: p.json cannot be read"


def test_other_shields_are_set() -> None:
    service = {"security_opt": ("no-new-privileges:true", "apparmor=mine")}
    process = build(service, facts=HostFacts(apparmor=True)).spec["process"]
    assert process["noNewPrivileges"] is True
    assert process["apparmorProfile"] == "mine"


def test_terminal_has_a_size_where_it_is_known() -> None:
    process = build({"tty": True}, inputs={"console_size": (24, 80)}).spec["process"]
    assert process["terminal"] is True
    assert process["consoleSize"] == {"height": 24, "width": 80}
    assert "TERM=xterm" in process["env"]
    assert "consoleSize" not in build({"tty": True}).spec["process"]


def test_name_of_the_machine_is_left_alone_in_its_uts_namespace() -> None:
    spec = build({"uts": "host"}, inputs={"uts": "host"}).spec
    assert "hostname" not in spec
    assert "HOSTNAME=box" in spec["process"]["env"]


def test_setting_adds_environment_annotations_and_hooks() -> None:
    hooks = {"prestart": [{"path": "/net"}]}
    spec = build(
        {"environment": {"A": "1", "B": "1"}, "annotations": {"a": "1", "b": "1"}},
        inputs={"environment": {"B": "2"}, "annotations": {"b": "2"}, "hooks": hooks},
    ).spec
    assert spec["process"]["env"][-2:] == ["A=1", "B=2"]
    assert spec["annotations"] == {"a": "1", "b": "2"}
    assert spec["hooks"] == hooks


def test_devices_come_after_dev_and_shared_mounts_share() -> None:
    mount = ResolvedMount(target="/d", source="/v", propagation="rshared")
    spec = build(
        {"devices": (Device(source="/dev/fuse"),)},
        inputs={"mounts": (mount,), "device_nodes": {"/dev/fuse": DeviceNode()}},
    ).spec
    targets = [one["destination"] for one in spec["mounts"]]
    assert targets.index("/dev") < targets.index("/dev/fuse")
    assert spec["linux"]["rootfsPropagation"] == "shared"
    assert "rootfsPropagation" not in build().spec["linux"]


def test_every_reduction_is_told_with_service_and_key() -> None:
    service = {
        "limits": Limits(memory=64 << 20),
        "oom_score_adj": -5,
        "ulimits": {"nofile": Ulimit(soft=9, hard=99)},
        "userns_mode": "auto",
        "raw": {"storage_opt": {"size": "1g"}},
    }
    facts = HostFacts(rlimits={"nofile": Ulimit(soft=9, hard=9)})
    assert [line.partition(": ")[0] for line in build(service, facts=facts).warnings] == [
        "services.web.ulimits.nofile",
        "services.web.oom_score_adj",
        "services.web.userns_mode",
        "services.web.storage_opt",
        "services.web.deploy.resources.limits.memory",
    ]


def test_step_of_a_build_is_a_container_too() -> None:
    service = Service(
        name="build",
        entrypoint=(),
        command=("/bin/sh", "-c", "make"),
        environment={"CC": "gcc"},
        user="4",
        working_dir="/src",
    )
    image = ImageConfig(env=("PATH=/bin",), entrypoint=("serve",), cmd=("now",))
    result = build_runtime_spec(
        service, image, SpecInputs(id="b1", rootfs="/r", network="host"), FACTS
    )
    process = result.spec["process"]
    assert process["args"] == ["/bin/sh", "-c", "make"]
    assert process["env"] == ["PATH=/bin", "CC=gcc"]
    assert process["cwd"] == "/src"
    assert result.uid == 4
    kinds = [one["type"] for one in result.spec["linux"]["namespaces"]]
    assert "network" not in kinds
    assert result.spec["linux"]["sysctl"] == {}
    assert result.warnings == ()


def test_containers_do_not_share_what_may_be_edited() -> None:
    first, second = build().spec, build().spec
    first["linux"]["maskedPaths"].append("/x")
    first["mounts"][0]["options"].append("x")
    first["process"]["env"].append("X=1")
    assert second == build().spec


def test_spec_is_written_as_json() -> None:
    unlimited = {"core": Ulimit(soft=-1, hard=-1)}
    assert b"18446744073709551615" in to_json(build({"ulimits": unlimited}).spec)
