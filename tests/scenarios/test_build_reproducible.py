"""Two builds of one thing: the same digest with SOURCE_DATE_EPOCH, and what runs anew where."""

import json
import os
import re
import time

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused
from tests.scenarios.test_build import executed_steps, make_build_project, run

pytestmark = pytest.mark.usefixtures("busybox_image")

EPOCH = 1_600_000_000
EVERYTHING = """\
FROM busybox AS made
RUN mkdir -p /a/b && date >/dev/null && echo made >/a/b/f && ln /a/b/f /a/hard && ln -s f /a/b/link
FROM busybox
WORKDIR /srv/app
COPY src/ .
COPY --from=made /a /a
COPY <<EOF /text
inline
EOF
RUN rm /etc/group; touch now /etc/passwd; mkfifo pipe
ENV A=1
"""


def manifest_of(user: User, name: str) -> str:
    """Return the digest of the manifest that an image's name has."""
    index = json.loads((user.data / "images/index.json").read_text())
    key = "org.opencontainers.image.ref.name"
    name = f"docker.io/library/{name}:latest"
    (entry,) = [one for one in index["manifests"] if one.get("annotations", {}).get(key) == name]
    return str(entry["digest"])


def config_of(user: User, name: str) -> dict[str, object]:
    """Return the configuration of an image."""
    blobs = user.data / "images/blobs/sha256"
    manifest = json.loads((blobs / manifest_of(user, name).partition(":")[2]).read_text())
    loaded = json.loads((blobs / manifest["config"]["digest"].partition(":")[2]).read_text())
    assert isinstance(loaded, dict)
    return loaded


def another_day(project: Project) -> None:
    """Change all times of the context, and let the clock go on."""
    for path in sorted(project.folder.rglob("*")):
        os.utime(path, (EPOCH + 86400 * 400, EPOCH + 86400 * 400))
    time.sleep(1.1)  # times of images are whole seconds


def test_source_date_epoch_makes_the_same_image_on_two_days(
    make_project: MakeProject, user: User
) -> None:
    web = make_build_project(make_project, EVERYTHING, **{"src/x": "x\n", "src/sub/y": "y\n"})
    name = f"{web.name}-web"
    env = {"SOURCE_DATE_EPOCH": str(EPOCH)}
    web.compose("build", "--no-cache", env=env).ok()
    first = manifest_of(user, name)
    another_day(web)
    built = web.compose("build", "--no-cache", env=env).ok()
    assert len(executed_steps(built.stderr)) == 6
    assert manifest_of(user, name) == first
    # The files in containers have the times that those of the layers have.
    look = "stat -c %Y /a/b/f /srv/app/now /srv/app/x /srv /text | sort -u"
    assert run(web, look) == [str(EPOCH)]
    config = config_of(user, name)
    assert config["created"] == "2020-09-13T12:26:40Z"
    history = config["history"]
    assert isinstance(history, list)
    assert {one["created"] for one in history[-6:]} == {"2020-09-13T12:26:40Z"}
    # An argument of the build wins. Files have other times then, so nothing comes from the cache.
    word = f"SOURCE_DATE_EPOCH={EPOCH + 5}"
    other = web.compose("build", "--build-arg", word, env=env).ok()
    assert len(executed_steps(other.stderr)) == 6
    assert manifest_of(user, name) != first
    web.compose("build", env=env).ok()
    assert manifest_of(user, name) == first
    bad = web.compose("build", "--build-arg", "SOURCE_DATE_EPOCH=monday")
    assert_refused(bad, 'cannot build web: invalid SOURCE_DATE_EPOCH: "monday"')


def test_times_do_not_matter_for_the_cache(make_project: MakeProject, user: User) -> None:
    web = make_build_project(make_project, EVERYTHING, **{"src/x": "x\n", "src/sub/y": "y\n"})
    web.compose("build").ok()
    first = manifest_of(user, f"{web.name}-web")
    another_day(web)
    built = web.compose("build").ok()
    assert executed_steps(built.stderr) == []
    assert manifest_of(user, f"{web.name}-web") == first


def test_no_cache_filter_runs_the_steps_of_some_stages_anew(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox AS One
        RUN echo one >/one
        FROM busybox AS two
        RUN cat /proc/uptime >/two
        FROM busybox
        COPY --from=one /one /
        COPY --from=two /two /
        """,
        compose="services: {web: {build: {context: ., no_cache_filter: [Two, nowhere]}}}\n",
    )
    first = web.compose("build").ok()
    assert "no_cache_filter: there is no stage nowhere in Dockerfile" in first.stderr
    again = web.compose("build").ok()
    assert executed_steps(again.stderr) == [
        "RUN cat /proc/uptime >/two",
        "COPY --from=two /two /",
    ]
    web.write("compose.yaml", "services: {web: {build: .}}\n")
    assert executed_steps(web.compose("build").ok().stderr) == []


def test_stages_are_built_at_once(make_project: MakeProject) -> None:
    # Each waits for the other: one after the other, both would fail.
    wait = "for i in $(seq 200); do ls /m/{0} 2>/dev/null && exit 0; sleep 0.1; done; exit 1"
    mount = "--mount=type=cache,id=meeting,target=/m"
    web = make_build_project(
        make_project,
        f"FROM busybox AS a\nRUN {mount} touch /m/a; {wait.format('b')}\n"
        f"FROM busybox AS b\nRUN {mount} touch /m/b; {wait.format('a')}\n"
        "FROM busybox\nCOPY --from=a /etc/passwd /a\nCOPY --from=b /etc/passwd /b\n",
    )
    web.compose("build").ok()


def test_a_stage_that_fails_ends_the_others(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox AS slow
        RUN sleep 100
        FROM busybox AS bad
        RUN sleep 1; exit 7
        FROM busybox
        COPY --from=slow /etc/passwd /a
        COPY --from=bad /etc/passwd /b
        """,
    )
    start = time.monotonic()
    failed = web.compose("build")
    assert failed.returncode == 1
    assert re.search(r"Dockerfile:4: .* exit code: 7", failed.stderr)
    assert time.monotonic() - start < 30
