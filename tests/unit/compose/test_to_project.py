"""A project as frozen values: everything that a file can say is there."""

from pathlib import Path

from cntnr_compose.compose.to_service import parse_restart_policy
from cntnr_compose.model.project import AddressPool, FileSource, Network, Volume
from cntnr_compose.model.service import (
    BindOptions,
    Build,
    Dependency,
    Device,
    FileMount,
    Healthcheck,
    Hook,
    Limits,
    Logging,
    Mount,
    NetworkAttachment,
    Port,
    RestartPolicy,
    Service,
    TmpfsOptions,
    Ulimit,
    VolumeOptions,
)
from tests.unit.compose.world import load_texts

TEXT = """
name: p
services:
  d: {image: d, healthcheck: {test: [CMD, x]}}
  a:
    image: i
    build: {context: b, args: {X: 1, A: }, tags: [t], secrets: [s], ulimits: {nofile: 3}, shm_size: 1m}
    command: a b
    entrypoint: []
    user: u
    environment: {E: 1, A: , NOPE: }
    env_file: e.env
    tty: true
    init: false
    stop_grace_period: 1m30s
    restart: on-failure:3
    scale: 2
    depends_on: {d: {condition: service_healthy, restart: true}}
    healthcheck: {test: x y, interval: 5s, retries: 0, start_interval: 1.5s}
    post_start: [{command: c d, user: root, environment: {H: 1}}]
    pre_start: [{command: [c, d], image: i, privileged: "true", per_replica: false}]
    volumes:
      - ./x:/x:ro,z
      - vol:/v:nocopy
      - {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}
    configs: [{source: c, target: /c, mode: 0440}]
    secrets: [s, {source: s, target: q, uid: "1"}]
    networks: {n: {aliases: [y], ipv4_address: 10.0.0.5, priority: 3, driver_opts: {o: 1}}}
    ports: ["127.0.0.1:8080:80/udp", 90]
    extra_hosts: {h: [1.1.1.1, 2.2.2.2]}
    devices: [/dev/x]
    ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}
    logging: {driver: x, options: {a: 1}}
    mem_limit: 64m
    shm_size: 1g
    sysctls: {a.b: 1}
    deploy:
      resources: {limits: {cpus: "0.5", pids: 9, memory: 64m}, reservations: {memory: 10m}}
networks:
  n: {driver: bridge, internal: true, ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}
volumes: {vol: {labels: {l: 1}}}
secrets: {s: {environment: A}}
configs: {c: {content: "x$$y"}}
"""


def load_service(folder: Path) -> Service:
    loaded = load_texts(folder, {"compose.yaml": TEXT, "e.env": "F=file\nE=no\n"}).project
    return loaded.services["a"]


def test_a_service_is_whole(tmp_path: Path) -> None:
    a = load_service(tmp_path)
    assert a.image == "i"
    assert a.command == ("a", "b")
    assert a.entrypoint == ()
    assert a.environment == {"A": "aa", "E": "1", "F": "file", "NOPE": None}
    assert (a.tty, a.init, a.user, a.replicas, a.stop_grace_period) == (True, False, "u", 2, 90.0)
    assert a.restart == RestartPolicy(condition="on-failure", max_attempts=3)
    assert a.depends_on == {"d": Dependency(condition="service_healthy", restart=True)}
    assert a.healthcheck == Healthcheck(
        test=("CMD-SHELL", "x y"), interval=5.0, retries=0, start_interval=1.5
    )
    assert a.pre_start == (Hook(command=("c", "d"), image="i", privileged=True),)
    assert a.post_start == (Hook(command=("c", "d"), user="root", environment={"H": "1"}),)
    assert a.extra_hosts == {"h": ("1.1.1.1", "2.2.2.2")}
    assert a.devices == (Device(source="/dev/x", target="/dev/x", permissions="rwm"),)
    assert a.ulimits == {"nofile": Ulimit(soft=5, hard=5), "nproc": Ulimit(soft=1, hard=2)}
    assert a.logging == Logging(driver="x", options={"a": "1"})
    assert a.sysctls == {"a.b": "1"}
    assert a.shm_size == 1 << 30
    assert a.raw["image"] == "i"


def test_limits_of_deploy_are_merged_in(tmp_path: Path) -> None:
    a = load_service(tmp_path)
    assert a.limits == Limits(cpus=0.5, memory=64 << 20, pids=9)
    assert a.reservations == Limits(memory=10 << 20)


def test_mounts_ports_and_attachments_are_whole(tmp_path: Path) -> None:
    a = load_service(tmp_path)
    bind, volume, tmpfs = a.volumes
    assert bind == Mount(
        type="bind",
        target="/x",
        source=f"{tmp_path}/x",
        read_only=True,
        bind=BindOptions(create_host_path=True, selinux="z"),
    )
    assert volume == Mount(
        type="volume",
        target="/v",
        source="vol",
        bind=BindOptions(create_host_path=False),
        volume=VolumeOptions(nocopy=True),
    )
    assert tmpfs.tmpfs == TmpfsOptions(size=1 << 20, mode=0o700)
    assert a.ports == (
        Port(target=80, published="8080", host_ip="127.0.0.1", protocol="udp"),
        Port(target=90),
    )
    assert a.networks == {
        "n": NetworkAttachment(
            aliases=("y",), ipv4_address="10.0.0.5", priority=3, driver_opts={"o": "1"}
        )
    }
    assert a.configs == (FileMount(source="c", target="/c", mode=0o440),)
    assert a.secrets == (
        FileMount(source="s", target="/run/secrets/s"),
        FileMount(source="s", target="q", uid="1"),
    )


def test_a_build_is_whole(tmp_path: Path) -> None:
    assert load_service(tmp_path).build == Build(
        context=f"{tmp_path}/b",
        dockerfile="Dockerfile",
        args={"A": "aa", "X": "1"},
        tags=("t",),
        secrets=(FileMount(source="s", target=""),),
        ulimits={"nofile": Ulimit(soft=3, hard=3)},
        shm_size=1 << 20,
    )


def test_resources_are_whole(tmp_path: Path) -> None:
    loaded = load_texts(tmp_path, {"compose.yaml": TEXT, "e.env": ""}).project
    assert loaded.networks["n"] == Network(
        key="n",
        name="p_n",
        driver="bridge",
        internal=True,
        pools=(AddressPool(subnet="10.0.0.0/24", gateway="10.0.0.1"),),
    )
    assert loaded.volumes == {"vol": Volume(key="vol", name="p_vol", labels={"l": "1"})}
    assert loaded.secrets["s"] == FileSource(key="s", name="p_s", environment="A", content="aa")
    assert loaded.configs["c"] == FileSource(key="c", name="p_c", content="x$y")


def test_restart_is_taken_from_deploy_where_nothing_else_is_said() -> None:
    deploy = {"condition": "on-failure", "max_attempts": 4, "delay": "5s", "window": "1m0s"}
    assert parse_restart_policy("", deploy) == RestartPolicy(
        condition="on-failure", max_attempts=4, delay=5.0, window=60.0
    )
    assert parse_restart_policy("", {"condition": "none"}) == RestartPolicy(condition="no")
    assert parse_restart_policy("", {}) == RestartPolicy(condition="always")
    assert parse_restart_policy("unless-stopped", deploy) == RestartPolicy(
        condition="unless-stopped"
    )
    assert parse_restart_policy("", None) == RestartPolicy()


def test_docker_s_bridge_is_a_network_of_the_project(tmp_path: Path) -> None:
    text = (
        "name: p\nservices:\n  a: {image: i, network_mode: bridge}\n  b: {image: i, network_mode: default}\n"
        "  c: {image: i, networks: [bridge]}\nnetworks: {bridge: }\n"
    )
    project = load_texts(tmp_path, text).project
    a, b, c = (project.services[name] for name in "abc")
    [key] = a.networks
    assert (a.network_mode, a.networks) == ("", b.networks)
    assert project.networks[key] == Network(key=key, name="p_network_mode.bridge")
    assert {project.networks[one].name for one in c.networks} == {"p_bridge"}  # is the file's own


def test_a_network_mode_may_name_a_network_that_there_is(tmp_path: Path) -> None:
    text = "name: p\nservices: {a: {image: i, network_mode: office}, b: {image: i, network_mode: none}}\n"
    project = load_texts(tmp_path, text).project
    [key] = project.services["a"].networks
    assert project.networks[key] == Network(key=key, name="office", external=True)
    assert (project.services["b"].network_mode, project.services["b"].networks) == ("none", {})
