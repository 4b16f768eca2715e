"""What the tables of support leave to the runtime spec to report, it reports."""

from pathlib import Path

import pytest

from cntnr_compose.compose.load import LoadRequest, load
from cntnr_compose.compose.support.keys import NEEDS_HOST_FEATURE, REPORTED_AT_CREATE
from cntnr_compose.compose.support.report import find_unsupported
from cntnr_compose.containers.spec.inputs import SpecInputs
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.model.host import HostCapabilities, HostFacts
from cntnr_compose.model.image import ImageConfig

SAMPLES = {
    "cpus": "1",
    "cpu_shares": "10",
    "cpu_quota": "1000",
    "cpu_period": "1000",
    "cpuset": '"0"',
    "mem_limit": "64m",
    "mem_reservation": "64m",
    "memswap_limit": "128m, mem_limit: 64m",
    "oom_kill_disable": "true",
    "pids_limit": "10",
    "blkio_config": "{weight: 100}",
    "cgroup_parent": "x",
    "domainname": "x.org",
    "init": "true",
    "cpu_count": "1",
    "cpu_percent": "10",
    "isolation": "x",
    "credential_spec": "{file: x}",
    "cpu_rt_period": "10",
    "cpu_rt_runtime": "10",
    "mem_swappiness": "10",
    "device_cgroup_rules": "[a]",
    "storage_opt": "{size: 1g}",
    "deploy.resources.limits.cpus": "{resources: {limits: {cpus: 1}}}",
    "deploy.resources.limits.memory": "{resources: {limits: {memory: 64m}}}",
    "deploy.resources.limits.pids": "{resources: {limits: {pids: 10}}}",
    "deploy.resources.reservations.memory": "{resources: {reservations: {memory: 64m}}}",
}


def reported_at_create() -> set[str]:
    """List the keys of which the runtime spec warns when a container is created."""
    needing = (
        f"{parent}.{word}"
        for feature, parents in NEEDS_HOST_FEATURE.items()
        if feature not in ("ids", "owners")
        for parent, words in parents.items()
        for word in words.split()
    )
    return {path.removeprefix("services.*.") for path in (*needing, *REPORTED_AT_CREATE)}


def test_every_key_that_is_reported_at_create_has_a_sample() -> None:
    assert reported_at_create() == set(SAMPLES)


@pytest.mark.parametrize("key", SAMPLES)
def test_the_runtime_spec_reports_what_the_table_leaves_to_it(key: str, tmp_path: Path) -> None:
    text = f"services: {{a: {{image: x, {key.partition('.')[0]}: {SAMPLES[key]}}}}}"
    (tmp_path / "compose.yaml").write_text(text)
    loaded = load(LoadRequest(cwd=str(tmp_path)))
    result = build_runtime_spec(
        loaded.project.services["a"],
        ImageConfig(cmd=("x",)),
        SpecInputs(id="x", rootfs="/x"),
        HostFacts(controllers=(), init_path="", domainname_path=""),
    )
    assert any(line.startswith(f"services.a.{key}: ") for line in result.warnings)
    bare = HostCapabilities(has_init=False, has_domainname=False)
    assert find_unsupported(loaded.tree, bare) == []
