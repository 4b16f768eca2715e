"""What a project mounts and cannot is told at once, with file, line and column, before anything starts."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")

WAITS = "image: busybox, command: sleep 1000, stop_signal: KILL"
MISSING = f"""
services:
  good: {{{WAITS}, volumes: ["./made:/made"]}}
  bad:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    secrets: [token]
    volumes:
      - ./app.conf:/etc/app.conf
      - ./file.txt/below:/below
      - /etc/cntnr-nowhere:/x
      - {{type: bind, source: ./absent, target: /absent, bind: {{create_host_path: false}}}}
      - ./dangling:/dangling
      - /root/secret:/secret
      - device:/device
      - ./conf.d:/conf.d
      - ./file.txt:/file.txt
volumes:
  device: {{driver_opts: {{type: none, o: bind, device: /nowhere/nodevice}}}}
secrets:
  token: {{file: ./token.txt}}
"""
REASONS = (
    ("10:9: services.bad.volumes.0.source", "app.conf", "it does not exist, and looks like a file"),
    ("11:9: services.bad.volumes.1", "file.txt/below", "file.txt is a file"),
    ("12:9: services.bad.volumes.2", "/etc/cntnr-nowhere", "may not write to /etc"),
    ("13:22: services.bad.volumes.3.source", "absent", "it does not exist"),
    ("14:9: services.bad.volumes.4", "dangling", "it is a link that leads nowhere"),
    ("15:9: services.bad.volumes.5", "/root/secret", "Permission denied"),
    ("20:47: volumes.device.driver_opts.device", "nodevice", "it does not exist"),
    ("22:11: secrets.token.file", "token.txt", "it does not exist"),
)


def assert_told(project: Project, *words: str) -> None:
    refusal = assert_refused(project.compose(*words))
    lines = refusal[refusal.index("error: ") :].removeprefix("error: ").splitlines()
    assert len(lines) == len(REASONS), refusal
    for line, (place, source, reason) in zip(lines, REASONS, strict=True):
        assert line.startswith(f"{project.folder}/compose.yaml:{place}"), line
        assert source in line
        assert reason in line


def test_all_sources_that_cannot_be_made_are_told_at_once(make_project: MakeProject) -> None:
    project = make_project(MISSING, files={"file.txt": ""})
    (project.folder / "dangling").symlink_to("nowhere")
    assert_told(project, "up", "-d")
    checked = project.compose("check")
    assert checked.returncode == 0  # all may be there in time
    for place, _, reason in REASONS:
        assert f"compose.yaml:{place}" in checked.stderr
        assert reason in checked.stderr
    assert project.compose("check", "--strict").returncode == 1
    assert_told(project, "run", "--rm", "bad")
    assert project.states() == {}
    assert not (project.folder / "made").exists()
    project.up("good")  # what is not selected does not matter
    assert (project.folder / "made").is_dir()


def test_a_source_that_vanished_matters_when_it_is_mounted_again(make_project: MakeProject) -> None:
    project = make_project(
        f'services: {{a: {{{WAITS}, volumes: ["./a.conf:/a.conf"]}}}}', files={"a.conf": "1"}
    )
    project.up()
    (project.folder / "a.conf").unlink()
    assert "Running" in project.up().stderr
    refusal = project.compose("up", "-d", "--force-recreate")
    assert_refused(refusal, "a.conf in service a: it does not exist")
    assert project.states() == {f"{project.name}-a-1": "running"}  # nothing was stopped for it


def test_what_another_service_makes_is_left_to_it(make_project: MakeProject) -> None:
    project = make_project(f"""
        services:
          maker:
            image: busybox
            command: sh -c "echo made >/out/x.conf"
            volumes: ["./out:/out"]
          user:
            {WAITS.replace(", ", chr(10) + " " * 12)}
            depends_on: {{maker: {{condition: service_completed_successfully}}}}
            volumes: ["./out/x.conf:/x.conf"]
        """)
    project.up()
    assert project.exec("user", "cat", "/x.conf").ok().stdout == "made\n"


def test_docker_s_socket_is_told_and_left_out(make_project: MakeProject) -> None:
    project = make_project(f"""
        services:
          short: {{{WAITS}, volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]}}
          long:
            {WAITS.replace(", ", chr(10) + " " * 12)}
            volumes: [{{type: bind, source: /run/docker.sock, target: /x/docker.sock}}]
          api: {{{WAITS}, use_api_socket: true}}
        """)
    told = project.up("--wait").stderr
    lines = [line for line in told.splitlines() if "no daemon" in line]
    assert len(lines) == 3, told
    for service, line in zip(
        ("api", "long", "short"),
        sorted(lines, key=lambda it: it.split("services.")[1]),
        strict=True,
    ):
        assert f"services.{service}." in line
        assert "who reads it will find no daemon" in line
    missing = project.exec("short", "ls", "/var/run/docker.sock")
    assert "No such file or directory" in missing.stderr
    assert "who reads it will find no daemon" in project.compose("check").ok().stdout
    assert "Running" in project.up().stderr
