"""Images of Dockerfiles, built and run by an ordinary user."""

import http.server
import os
import re
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest

from cntnr_compose.host.files import remove_tree
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, wait_until
from tests.scenarios.registry import Registry

pytestmark = pytest.mark.usefixtures("busybox_image")

Leftovers = Callable[[], list[str]]
ONE = "services: {web: {build: .}}\n"
EVERYTHING = """\
# syntax=docker/dockerfile:1
ARG TAG=1
FROM scratch AS tools
COPY --chmod=755 tool /t/tool

FROM busybox:${TAG} AS base
ARG GREETING=hello
ENV WHO=world MORE="$GREETING you"
RUN echo "$GREETING $WHO" >/greeting && id -u >/who
RUN <<EOF
set -e
mkdir -p /data/a /data/b
echo joe:x:1000:100::/home/joe:/bin/sh >>/etc/passwd
echo staff:x:50: >>/etc/group
ln /greeting /data/a/hard
chown joe /data/a && chmod 2750 /data/a
EOF
RUN rm -r /data/b /who && mkdir /data/b && touch /data/b/new
WORKDIR /srv/app
COPY --chown=joe:staff --chmod=0604 src deep/
COPY src/*.txt .
COPY --from=tools /t/tool /usr/local/bin/
ADD t.tar.gz /unpacked/
COPY <<text /heredoc/
of $WHO
text
SHELL ["/bin/sh", "-ec"]
RUN pwd >place

FROM base AS last
USER joe
RUN id -un >/tmp/me
EXPOSE 80 81/udp
VOLUME /data/v
LABEL one=1 "two three"='4 5'
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=7s --retries=4 CMD true
ENTRYPOINT ["sh", "-c", "cat /greeting; echo $0 $MORE"]
CMD ["default"]
"""
LOOK = (
    "cd / && find greeting data srv usr/local unpacked heredoc tmp -exec stat -c '%n %F %a %u:%g' {} +"
    " | grep -v /v | sort; ls -d proc who data/b/* 2>&1; stat -c %h greeting"
)
FAILED = 'process "/bin/sh -c echo why; exit 3" did not complete successfully: exit code: 3\n  why'


def make_build_project(
    make_project: MakeProject, dockerfile: str, *, compose: str = ONE, **files: str
) -> Project:
    return make_project(dedent(compose), files={"Dockerfile": dedent(dockerfile), **files})


def run(project: Project, command: str, *, user: str = "0", service: str = "web") -> list[str]:
    """Run a shell command in a container of the image; return its lines."""
    words = ("run", "--rm", "-T", "--user", user, "--entrypoint", "/bin/sh", service, "-c", command)
    return project.compose(*words).ok().stdout.splitlines()


def executed_steps(text: str) -> list[str]:
    """List the steps of a build that were not cached."""
    steps = [
        line.partition("] ")[2]
        for line in text.splitlines()
        if re.match(r"\w+ \[\S+ \d+/\d+\] ", line)
    ]
    return [step for step in steps if not step.endswith("  CACHED")]


def remains(user: User) -> list[str]:
    """List what a build must not leave: drafts and mounts."""
    mounts = Path("/proc/mounts").read_text().splitlines()
    return [str(path) for path in user.data.glob("*/.draft-*")] + [
        line for line in mounts if str(user.data) in line
    ]


def everything(make_project: MakeProject) -> Project:
    compose = "services: {web: {build: {context: ., args: {GREETING: hi}}}}\n"
    files = {"src/a.txt": "a\n", "src/sub/b": "b\n", "tool": "#!/bin/sh\necho a tool\n"}
    web = make_project(compose, files={"Dockerfile": EVERYTHING, **files})
    with tarfile.open(web.folder / "t.tar.gz", "w:gz") as archive:
        entry = archive.gettarinfo(web.folder / "src", "s")
        entry.uid, entry.gid = 7, 8
        archive.addfile(entry)
    web.user.own(web.folder)
    return web


def test_every_instruction_does_what_it_says(make_project: MakeProject, user: User) -> None:
    web = everything(make_project)
    web.compose("build").ok()
    assert remains(user) == []

    assert web.compose("run", "--rm", "-T", "web").ok().stdout == "hi world\ndefault hi you\n"
    assert run(web, LOOK) == [
        "data directory 755 0:0",
        "data/a directory 2750 1000:0",
        "data/a/hard regular file 644 0:0",
        "data/b directory 755 0:0",
        "data/b/new regular empty file 644 0:0",
        "greeting regular file 644 0:0",
        "heredoc directory 755 0:0",
        "heredoc/text regular file 644 0:0",
        "srv directory 755 0:0",
        "srv/app directory 755 0:0",
        "srv/app/a.txt regular file 644 0:0",
        "srv/app/deep directory 755 1000:50",
        "srv/app/deep/a.txt regular file 604 1000:50",
        "srv/app/deep/sub directory 604 1000:50",
        "srv/app/deep/sub/b regular file 604 1000:50",
        "srv/app/place regular file 644 0:0",
        "tmp directory 1777 0:0",
        "tmp/me regular file 644 1000:100",
        "unpacked directory 755 0:0",
        "unpacked/s directory 755 7:8",
        "usr/local directory 755 0:0",
        "usr/local/bin directory 755 0:0",
        "usr/local/bin/tool regular file 755 0:0",
        "ls: who: No such file or directory",
        "data/b/new",
        "proc",
        "2",
    ]
    shown = "cat heredoc/text srv/app/place tmp/me srv/app/deep/a.txt; tool; id -un"
    assert run(web, f"cd / && {shown}", user="joe") == [
        "of world", "/srv/app", "joe", "a", "a tool", "joe",
    ]  # fmt: skip


def test_the_layers_are_what_was_built(make_project: MakeProject, user: User) -> None:
    web = everything(make_project)
    web.compose("build").ok()
    command = f"{LOOK}; find / -xdev -type f -not -path '/etc/*' | sort | xargs sha256sum"
    before = run(web, command)
    # Without the folders of the steps the image is unpacked from its layers.
    for path in (user.data / "layers").glob("s-*"):
        remove_tree(path)  # of other tests are some that are too deep for shutil
    assert run(web, command) == before
    assert list((user.data / "layers").glob("s-*")) == []


def test_an_unchanged_build_does_nothing(make_project: MakeProject, user: User) -> None:
    web = everything(make_project)
    first = web.compose("build").ok()
    assert len(executed_steps(first.stderr)) == 12
    index = user.data / "images/index.json"
    before = (index.read_bytes(), index.stat().st_mtime_ns)
    again = web.compose("build").ok()
    assert executed_steps(again.stderr) == []
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
    assert not (user.runtime / "holder").exists()  # nobody was needed


def test_a_change_is_built_from_where_it_matters(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox
        RUN echo first
        COPY data /data
        RUN cat /data
        """,
        data="one\n",
    )
    web.compose("build").ok()
    os.utime(web.folder / "data", (1, 1))
    assert executed_steps(web.compose("build").ok().stderr) == []
    web.write("data", "two\n")
    assert executed_steps(web.compose("build").ok().stderr) == ["COPY data /data", "RUN cat /data"]
    web.write("data", "one\n")
    assert executed_steps(web.compose("build").ok().stderr) == []
    assert len(executed_steps(web.compose("build", "--no-cache").ok().stderr)) == 3
    assert run(web, "cat /data") == ["one"]


def test_up_builds_what_is_missing_and_with_build_what_has_changed(
    make_project: MakeProject,
) -> None:
    compose = "services: {web: {build: ., stop_grace_period: 0s}}\n"
    web = make_build_project(
        make_project, 'FROM busybox\nCOPY d /d\nCMD ["sleep", "1000"]\n', compose=compose, d="one"
    )
    web.up()
    (first,) = web.ps()
    assert web.exec("web", "cat", "/d").ok().stdout == "one"
    web.write("d", "two")
    web.up()
    assert web.ps()[0]["ID"] == first["ID"]
    web.up("--build")
    assert web.ps()[0]["ID"] != first["ID"]
    assert web.exec("web", "cat", "/d").ok().stdout == "two"


def test_options_of_the_file_reach_the_build(make_project: MakeProject) -> None:
    web = make_project(
        """
services:
  web:
    image: local/web:1
    build:
      context: .
      target: chosen
      dockerfile_inline: |
        FROM base AS chosen
        ARG A
        COPY --from=lib f /f
        RUN --mount=type=secret,id=s --mount=type=bind,target=/ctx,rw --mount=type=tmpfs,target=/t \\
          --mount=type=cache,target=/c,mode=0700,uid=5 --mount=type=secret,id=v,env=VALUE \\
          (cat /run/secrets/s; echo $$A $$VALUE; ls /ctx; touch /ctx/new /t/x /c/y; stat -c '%a %u' /c; \\
           grep example /etc/hosts; ulimit -n; df -k /dev/shm | awk 'NR == 2 {print $$2}') >/seen
        RUN ls /ctx /t /c /run/secrets >/after 2>&1; true
        FROM scratch
        COPY not-there /
      args: {A: given}
      additional_contexts: {lib: ./lib, base: "service:base"}
      secrets: [s, v]
      extra_hosts: ["example:1.2.3.4"]
      ulimits: {nofile: 123}
      shm_size: 1m
      labels: {mine: "1"}
      tags: ["local/web:other"]
      network: none
  base:
    build: {dockerfile_inline: "FROM busybox\\nRUN echo from base >/base"}
secrets:
  s: {file: ./secret}
  v: {environment: VALUE}
""",
        files={"lib/f": "lib\n", "secret": "hidden\n", "here": ""},
    )
    web.compose("build", "web", env={"VALUE": "told"}).ok()
    assert run(web, "cat /base /f /seen; ls /ctx /t /c 2>&1; true") == [
        "from base", "lib", "hidden", "given told", "compose.yaml", "here", "lib", "secret",
        "700 5", "1.2.3.4\texample", "123", "1024",
        "ls: /ctx: No such file or directory", "ls: /t: No such file or directory",
        "ls: /c: No such file or directory",
    ]  # fmt: skip
    assert not (web.folder / "new").exists()
    index = (web.user.data / "images/index.json").read_text()
    assert "local/web:1" in index
    assert "local/web:other" in index


def test_services_are_built_at_once_and_share_their_stages(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox AS base
        RUN sleep 0.3
        FROM base AS a
        RUN echo a
        FROM base AS b
        RUN echo b
        """,
        compose="services: {a: {build: {target: a}}, b: {build: {target: b}}}\n",
    )
    done = executed_steps(web.compose("build").ok().stderr)
    assert sorted(done) == ["RUN echo a", "RUN echo b", "RUN sleep 0.3"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "f.txt").write_text("from afar\n")
    handler = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_add_downloads(make_project: MakeProject, site: str) -> None:
    web = make_build_project(make_project, f"FROM busybox\nADD --chmod=644 {site}/f.txt /d/\n")
    web.compose("build").ok()
    assert run(web, "cat /d/f.txt; stat -c %a /d/f.txt") == ["from afar", "644"]
    assert executed_steps(web.compose("build").ok().stderr) == []


def test_what_was_built_can_be_pushed_and_pulled(
    make_project: MakeProject, registry: Registry, user: User
) -> None:
    name = f"{registry.address}/mine/web:1"
    web = make_build_project(
        make_project, EVERYTHING.partition("ADD t.tar")[0],
        compose=f"services: {{web: {{image: '{name}', build: {{context: .}}}}}}\n",
        **{"src/a.txt": "a\n", "src/sub/b": "b\n", "tool": "#!/bin/sh\n"},
    )  # fmt: skip
    web.compose("build", "--push").ok()
    before = run(web, LOOK)
    web.compose("down", "--rmi", "all").ok()
    for path in (user.data / "layers").glob("s-*"):
        remove_tree(path)  # of other tests are some that are too deep for shutil
    web.write("compose.yaml", f"services: {{web: {{image: '{name}'}}}}\n")
    assert run(web, LOOK) == before


@pytest.mark.parametrize(
    ("dockerfile", "says"),
    [
        ("FROM busybox\nRUNN x", "Dockerfile:2: unknown instruction: RUNN (did you mean RUN?)"),
        ("FROM busybox\nCOPY nope /", "Dockerfile:2: cannot copy nope: not found in the build context"),
        ("FROM nope:1\n", "Dockerfile:1: cannot get image nope:1: the registry has no such image"),
        ("FROM busybox\nRUN echo why; exit 3", f"Dockerfile:2: {FAILED}"),
        ("FROM busybox\nRUN [\"nope\"]", "executable file not found"),
        ("FROM busybox\nUSER jane\nRUN id", "Dockerfile:3: unable to find user jane"),
        ("FROM busybox\nCOPY --from=b a /\n", "Dockerfile:2: cannot get image b:latest"),
        ("FROM busybox\nRUN --mount=type=secret,id=x,required cat", "Dockerfile:2: secret x is required"),
        ("FROM busybox\nADD http://127.0.0.1:1/x /", "Dockerfile:2: cannot download http://127.0.0.1:1/x"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(
    make_project: MakeProject, user: User, leftovers: Leftovers, dockerfile: str, says: str
) -> None:
    web = make_build_project(make_project, dockerfile)
    for verb in ("build", "up"):
        failed = web.compose(*([verb] if verb == "build" else [verb, "-d"]))
        assert failed.returncode == 1, failed
        assert says in failed.stderr
        assert "Traceback" not in failed.stderr
    assert remains(user) == []
    web.compose("down").ok()  # what `why` knows of the failure goes with the project
    assert leftovers() == []


def test_a_dockerfile_that_is_not_there_is_told(make_project: MakeProject) -> None:
    web = make_project(ONE)
    failed = web.compose("build")
    assert failed.returncode == 1
    assert f"failed to read dockerfile: {web.folder}/Dockerfile does not exist" in failed.stderr


@pytest.fixture
def small_disk(user: User) -> Iterator[Path]:
    """Mount a file system of 16 MiB and yield its path; a test run without root needs sudo for it."""
    place = user.base / "small"
    place.mkdir()
    user.own(place)
    root = [] if os.getuid() == 0 else ["sudo", "-n"]
    options = f"size=16m,mode=0700,uid={user.uid},gid={user.gid}"
    subprocess.run([*root, "mount", "-t", "tmpfs", "-o", options, "none", place], check=True)
    yield place
    # The kernel may still take a namespace apart that had it, too.
    unmount = [*root, "umount", place]
    wait_until(lambda: subprocess.run(unmount, check=False, capture_output=True).returncode == 0)


def test_a_full_disk_is_told_and_leaves_nothing_half_made(
    make_project: MakeProject, user: User, small_disk: Path
) -> None:
    web = make_build_project(make_project, "FROM scratch\nCOPY big /\n")
    with (web.folder / "big").open("wb") as big:
        big.truncate(64 << 20)
    user.own(web.folder)
    failed = web.compose("build", env={"XDG_DATA_HOME": str(small_disk)})
    assert failed.returncode == 1
    assert "error: cannot build web: no space left on the disk" in failed.stderr
    assert list(small_disk.glob("cntnr/*/.draft-*")) == []
    assert shutil.disk_usage(small_disk).used < 1 << 20


@pytest.mark.parametrize("progress", ["plain", "tty"])
def test_output_without_end_is_clipped(make_project: MakeProject, progress: str) -> None:
    web = make_build_project(
        make_project,
        f"""\
        FROM busybox
        RUN : {progress}; head -c 300m /dev/zero | tr '\\0' x
        RUN yes | head -n 3000000; echo and so it ended; exit 7
        """,
    )
    failed = web.compose("--progress", progress, "build", timeout=60)
    assert failed.returncode == 1
    assert failed.stderr.count("[output clipped, log limit 2MiB reached]") == 2
    assert len(failed.stderr) < 8 << 20
    assert failed.stderr.endswith("exit code: 7\n" + 7 * "  y\n" + "  and so it ended\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_that_is_ended_leaves_nothing(
    make_project: MakeProject, user: User, leftovers: Leftovers, number: signal.Signals
) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox
        RUN trap '' TERM INT; (sleep 1000 &); echo now; sleep 1000
        """,
    )
    with (web.folder / "out").open("wb") as out:
        running = user.popen("cntnr", "compose", "build", cwd=web.folder, stdout=out, stderr=out,
                             stdin=subprocess.DEVNULL)  # fmt: skip
    wait_until(lambda: "web now" in (web.folder / "out").read_text(), what="the step runs")
    running.send_signal(number)
    assert running.wait(10) != 0
    assert leftovers() == []
    assert remains(user) == []
