"""What the table of support says is what the engine does."""

import ast
from pathlib import Path

import pytest

from cntnr_compose.compose.load import LoadRequest, load
from cntnr_compose.compose.support.keys import NEEDS_HOST_FEATURE, REPORTED_AT_CREATE
from cntnr_compose.compose.support.report import find_unsupported, support_by_key
from cntnr_compose.containers.spec.inputs import SpecInputs
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.model.host import HostCapabilities, HostFacts
from cntnr_compose.model.image import ImageConfig

CODE = Path(__file__).resolve().parents[3] / "cntnr_compose"
FULL = HostCapabilities(controllers=("cpu", "cpuset", "io", "memory", "pids"), lowest_port=0)
# These are done with when the project is read.
BY_THE_LOADER = frozenset(
    """
    name services include path env_file project_directory extends service file format required
    label_file restart_policy external
    """.split()  # noqa: SIM905 - a list to read
)
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


def words_of_the_engine() -> set[str]:
    """Gather the attributes and the words that plan, engine and command line read."""
    found = set()
    for floor in (
        "reconcile",
        "containers",
        "networks",
        "volumes",
        "images",
        "builder",
        "supervisor",
        "client",
        "cli",
    ):
        for path in (CODE / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def test_what_is_honoured_is_read_by_somebody_above_the_loader() -> None:
    read = words_of_the_engine() | BY_THE_LOADER
    claimed = {
        path
        for path, row in support_by_key().items()
        if row(FULL).level in ("honoured", "emulated")
    }
    assert {path for path in claimed if path.rpartition(".")[2] not in read} == set()


def told_by_the_engine() -> set[str]:
    """Name the keys of which the table says that the runtime spec warns of them itself."""
    needing = (
        f"{parent}.{word}"
        for ability, parents in NEEDS_HOST_FEATURE.items()
        if ability != "ids"
        for parent, words in parents.items()
        for word in words.split()
    )
    return {path.removeprefix("services.*.") for path in (*needing, *REPORTED_AT_CREATE)}


def test_every_key_that_the_engine_tells_has_a_sample() -> None:
    assert told_by_the_engine() == set(SAMPLES)


@pytest.mark.parametrize("key", SAMPLES)
def test_the_engine_tells_what_the_table_leaves_to_it(key: str, tmp_path: Path) -> None:
    text = f"services: {{a: {{image: x, {key.partition('.')[0]}: {SAMPLES[key]}}}}}"
    (tmp_path / "compose.yaml").write_text(text)
    loaded = load(LoadRequest(cwd=str(tmp_path)))
    made = build_runtime_spec(
        loaded.project.services["a"],
        ImageConfig(cmd=("x",)),
        SpecInputs(id="x", rootfs="/x"),
        HostFacts(controllers=(), init_path="", domainname_path=""),
    )
    assert any(line.startswith(f"services.a.{key}: ") for line in made.warnings)
    bare = HostCapabilities(has_init=False, has_domainname=False)
    assert find_unsupported(loaded.tree, bare) == []
