"""cntnr inside a container that cntnr runs; docs/nested.md has the table of what works where."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result
from tests.scenarios.registry import make_image

IMAGE = "oci:/images:busybox"
COMPOSE = """
services:
  web:
    image: busybox
    command: sh -c 'echo page >/tmp/page; exec httpd -f -p 80 -h /tmp'
    stop_signal: KILL
    ports: ["127.0.0.1:8080:80"]
    healthcheck: {test: wget -qO- http://127.0.0.1/page, interval: 200ms}
  ask:
    image: busybox
    command: wget -qO- http://web/page
    depends_on: {web: {condition: service_healthy}}
"""
SCRIPT = f"""
set -e
cntnr run --rm {IMAGE} echo hello world
cntnr image tag {IMAGE} busybox
cd /tmp && cp /project/compose.yaml .
cntnr compose up -d --wait web 2>up || cat up
cntnr compose run --rm -T ask 2>/dev/null
curl -s http://127.0.0.1:8080/page
cntnr compose exec -T web id -u
cntnr compose down -t 0 2>/dev/null
printf 'FROM busybox\\nRUN echo built >/made\\n' >Dockerfile
cntnr build -q -t built . >/dev/null
cntnr run --rm --network none built cat /made
cntnr ps -a -q
"""
PRINTED = ["hello world", "page", "page", "0", "built"]


def run_inside(place: Project, *words: str, script: str = SCRIPT, ids: bool = True) -> Result:
    """Run a script in a container with the machine's programs and this cntnr."""
    user = place.user
    place.write("compose.yaml", COMPOSE)
    place.write("ids", "root:1:65535\n" if ids else "")
    binds = {
        "/usr": "/usr", "/usr/bin": "/bin", "/usr/lib": "/lib", "/usr/lib64": "/lib64", user.tree: user.tree,
        user.venv: user.venv, make_image("busybox"): "/images", place.folder: "/project",
        place.folder / "ids": "/etc/subuid",
    }  # fmt: skip
    volumes = [f"--volume={source}:{target}:ro" for source, target in binds.items()]
    path = f"PATH={user.venv}/bin:/usr/sbin:/usr/bin:/bin"
    words = (
        *words,
        *volumes,
        f"--volume={place.folder}/ids:/etc/subgid:ro",
        "--tmpfs=/run",
        "--volume=/root/.local/share",
    )
    return place.cntnr("run", "--rm", "-e", path, *words, "busybox", "sh", "-c", script)


@pytest.mark.one_id
@pytest.mark.usefixtures("busybox_image")
def test_with_one_id_outside_there_is_one_inside(make_project: MakeProject) -> None:
    ended = run_inside(make_project(), "--privileged", ids=False)
    assert ended.ok().stdout.splitlines() == PRINTED, ended


@pytest.mark.usefixtures("busybox_image")
def test_without_a_right_that_it_needs(make_project: MakeProject) -> None:
    """Give it less than `--privileged`, and less than that is enough."""
    place, script = make_project(), f"cntnr run --rm {IMAGE} echo hello"
    options = [
        "--device=/dev/net/tun", "--security-opt=seccomp=unconfined", "--security-opt=systempaths=unconfined",
        "--cap-add=SYS_ADMIN", "--mount-cgroups=ro",
    ]  # fmt: skip
    assert run_inside(place, *options, script=script).ok().stdout == "hello\n"
    for missing, says in (
        (0, "a container gets it by --device /dev/net/tun"),
        (1, "cannot make the namespaces for containers"),
        (2, "/proc/sys is read-only"),
        (3, "unshare failed: Operation not permitted"),
        (4, "no cgroup mount found"),
    ):
        fewer = [word for number, word in enumerate(options) if number != missing]
        ended = run_inside(place, *fewer, script=script)
        assert (ended.returncode, says in ended.stderr) == (125, True), ended


@pytest.mark.usefixtures("busybox_image")
def test_an_engine_in_a_privileged_container(make_project: MakeProject) -> None:
    place = make_project()
    ended = run_inside(place, "--privileged", script=f"{SCRIPT}cntnr run --rm -u 33:33 built id -u")
    assert ended.ok().stdout.splitlines() == [*PRINTED, "33"], ended
    ended = run_inside(place, "--privileged", ids=False)
    assert ended.ok().stdout.splitlines() == PRINTED, ended
