"""Today's syntax of Dockerfiles, built and looked at."""

import http.server
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, assert_refused
from tests.scenarios.test_build import executed_steps, make_build_project, run

pytestmark = pytest.mark.usefixtures("busybox_image")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serve a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@x.test", "-c", "init.defaultBranch=main")
    argv = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def make_repository(folder: Path) -> dict[str, str]:
    """Make a repository that an ordinary web server can serve; return its commits by name."""
    folder.mkdir()
    git(folder, "init", "-q")
    commits = {}
    for name in ("v1", "v2", "v3"):
        (folder / "f").write_text(f"{name}\n")
        (folder / "sub").mkdir(exist_ok=True)
        (folder / "sub/g").write_text(f"sub of {name}\n")
        (folder / "sub/run").write_text("#!/bin/sh\n")
        (folder / "sub/run").chmod(0o755)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", name)
        git(folder, "tag", "-a", "-m", name, name)
        commits[name] = git(folder, "rev-parse", "HEAD")
    git(folder, "branch", "other", "v2")
    git(folder, "repack", "-a", "-d", "-q")
    git(folder, "update-server-info")
    return commits


def test_copy_with_modes_parents_and_exceptions(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox
        COPY --chmod=u=rwX,go=rX tree /modes
        COPY --parents tree/a/one tree/./b/*.txt tree/./**/deep /parents/
        COPY --parents tree/./a /dot
        COPY --exclude=a --exclude=**/*.txt tree /excluded/
        COPY no-such-* tree/a/one /few/
        COPY tree /new
        """,
        **{"tree/a/one": "1", "tree/b/x.txt": "x", "tree/b/y.md": "y", "tree/c/d/deep": "z"},
    )
    for path, mode in (
        ("tree", 0o750),
        ("tree/a", 0o711),
        ("tree/a/one", 0o700),
        ("tree/b", 0o2755),
    ):
        (web.folder / path).chmod(mode)
    for path in ("tree/a/one", "tree/a", "tree/b", "tree/c/d", "tree/c", "tree"):
        os.utime(web.folder / path, (1000, 1000))
    web.compose("build").ok()
    listed = run(web, "cd / && find modes parents dot excluded few | sort | xargs stat -c '%n %a'")
    assert listed == [
        "dot 755", "dot/a 711", "dot/a/one 700",
        "excluded 755", "excluded/b 2755", "excluded/b/y.md 644", "excluded/c 755", "excluded/c/d 755",
        "excluded/c/d/deep 644",
        "few 755", "few/one 700",
        "modes 755", "modes/a 755", "modes/a/one 755", "modes/b 755", "modes/b/x.txt 644", "modes/b/y.md 644",
        "modes/c 755", "modes/c/d 755", "modes/c/d/deep 644",
        "parents 755", "parents/b 2755", "parents/b/x.txt 644", "parents/c 755", "parents/c/d 755",
        "parents/c/d/deep 644", "parents/tree 750", "parents/tree/a 711", "parents/tree/a/one 700",
    ]  # fmt: skip
    times = run(web, "cd / && stat -c '%n %a %Y' new new/a new/b new/c/d parents/tree")
    assert times == ["new 755 1000", "new/a 711 1000", "new/b 2755 1000", "new/c/d 755 1000",
                     "parents/tree 750 1000"]  # fmt: skip


def test_a_linked_layer_sees_nothing_below_it_and_outlives_it(make_project: MakeProject) -> None:
    text = """\
        FROM busybox
        ARG N=1
        RUN echo joe:x:1000:1000::/:/bin/sh >>/etc/passwd; mkdir /real && ln -s real /way; echo $N >/n
        COPY --link --chown=7:8 f /way/
        COPY --link --chown=joe f /joes
        COPY --link --chmod=600 f /way2/
        """
    web = make_build_project(make_project, text, f="f\n")
    web.compose("build").ok()
    command = "stat -c '%n %F %a %u:%g' /way /way/f /joes /way2/f; ls /real"
    before = run(web, command)
    assert before == [
        "/way directory 755 7:8", "/way/f regular file 644 7:8", "/joes regular file 644 1000:1000",
        "/way2/f regular file 600 0:0",
    ]  # fmt: skip
    again = web.compose("build", "--build-arg", "N=2").ok()
    assert [step.split()[0:2] for step in executed_steps(again.stderr)] == [
        ["RUN", "echo"], ["COPY", "--link"], ["COPY", "--link"],
    ]  # fmt: skip
    assert run(web, f"cat /n; {command}") == ["2", *before]


def test_add_takes_trees_of_git(make_project: MakeProject, site: tuple[Path, str]) -> None:
    folder, address = site
    commits = make_repository(folder / "r")
    url = f"{address}/r/.git"
    web = make_build_project(
        make_project,
        f"""\
        FROM busybox
        ARG REF=v1
        ADD {url}#$REF /tag
        ADD {url}?branch=other&subdir=sub /branch/
        ADD --keep-git-dir --chown=7:8 --checksum={commits["v2"]} {url}#v2 /kept
        ADD {url}?commit={commits["v1"][:8]} {url}#:sub /both/
        ADD --chmod=go= {url} /head
        """,
    )
    web.compose("build").ok()
    shown = run(
        web,
        "cd / && cat tag/f branch/g kept/f both/f both/g head/f; ls -A tag; cat kept/.git/HEAD;"
        " stat -c '%a %u:%g' kept/f branch/run tag/sub head/f",
    )
    assert shown == [
        "v1", "sub of v2", "v2", "v1", "sub of v3", "v3", "f", "sub", commits["v2"],
        "644 7:8", "755 0:0", "755 0:0", "600 0:0",
    ]  # fmt: skip
    assert executed_steps(web.compose("build").ok().stderr) == []
    (folder / "r/f").write_text("v4\n")
    git(folder / "r", "commit", "-q", "-a", "-m", "v4")
    git(folder / "r", "update-server-info")
    changed = executed_steps(web.compose("build").ok().stderr)
    assert [step.rpartition(" ")[2] for step in changed] == ["/both/", "/head"]
    assert run(web, "cat /head/f") == ["v4"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{url}?branch=v1", "Dockerfile:2: cannot fetch {url}: repository does not contain ref refs/heads"),
        ("--checksum={v1} {url}#v2", "expected checksum to match {v1}, got {v2}"),
        ("{url}?tag=v1&commit={v2}", "expected checksum to match {v2}, got {v1}"),
        ("{address}/none.git", "Dockerfile:2: cannot fetch {address}/none.git: repository"),
        ("{url}#:nothing", "Dockerfile:2: cannot copy nothing: not found in the repository {url}"),
        ("{url}?what=1", 'unexpected query "what"'),
    ],
)  # fmt: skip
def test_what_git_has_not_is_told(
    make_project: MakeProject, site: tuple[Path, str], words: str, message: str
) -> None:
    folder, address = site
    values = {**make_repository(folder / "r"), "address": address, "url": f"{address}/r/.git"}
    web = make_build_project(make_project, f"FROM busybox\nADD {words.format(**values)} /x/\n")
    assert_refused(web.compose("build"), message.format(**values))


def test_add_unpacks_where_it_is_told_to(make_project: MakeProject, site: tuple[Path, str]) -> None:
    folder, address = site
    (folder / "f").write_text("f\n")
    for name, mode in (("a.tgz", "w:gz"), ("b.tar", "w")):
        with tarfile.open(folder / name, mode) as archive:  # type: ignore[call-overload]
            archive.add(folder / "f", "in/f")
    subprocess.run(["zstd", "-q", str(folder / "b.tar"), "-o", str(folder / "c.any")], check=True)
    web = make_build_project(
        make_project,
        f"""\
        FROM busybox
        ADD {address}/a.tgz /plain/
        ADD --unpack {address}/a.tgz /url/
        ADD --unpack=false a.tgz /left/
        ADD a.tgz c.any f /context/
        COPY f /there/
        ADD c.any /there/
        """,
    )
    for name in ("a.tgz", "c.any", "f"):
        (web.folder / name).write_bytes((folder / name).read_bytes())
    web.user.own(web.folder)
    web.compose("build").ok()
    command = "cd / && find plain url left context there -type f | sort; stat -c %Y plain/a.tgz"
    seconds = int((folder / "a.tgz").stat().st_mtime)
    assert run(web, command) == [
        "context/f", "context/in/f", "left/a.tgz", "plain/a.tgz", "there/f", "there/in/f", "url/in/f",
        str(seconds),
    ]  # fmt: skip


def test_mounts_of_a_run(make_project: MakeProject) -> None:
    web = make_project(
        """
services:
  web:
    build: {context: ., args: {WHERE: sub}, secrets: [s]}
secrets: {s: {file: ./secret}}
""",
        files={
            "secret": "hush",
            "sub/f": "f\n",
            "Dockerfile": """\
FROM busybox AS seed
RUN mkdir -p /s/d && echo seed >/s/d/x && chown 5 /s/d
FROM busybox
ARG WHERE
WORKDIR /w
RUN --mount=type=bind,source=$WHERE,target=in cat /w/in/f >/seen
RUN --mount=type=cache,id=c-$WHERE,from=seed,source=/s,target=/c,sharing=private \\
  cat /c/d/x >>/seen && stat -c %u /c/d >>/seen && echo more >>/c/d/x
RUN --mount=type=cache,id=c-sub,target=/other,ro cat /other/d/x >>/seen; touch /other/x 2>>/seen; true
RUN --mount=type=secret,source=s,target=key,mode=0440,uid=3,env=KEY \\
  stat -c '%a %u' /w/key >>/seen && test "$KEY" = hush && echo same >>/seen
RUN --mount=type=tmpfs,target=/t,size=1m ! dd if=/dev/zero of=/t/x bs=1M count=2 2>/dev/null
RUN --network=none --security=sandbox ! ip route | grep default
""",
        },
    )
    web.compose("build").ok()
    assert run(web, "cat /seen; ls -A /w /c /other 2>&1 | sort") == [
        "f", "seed", "5", "seed", "more", "touch: /other/x: Read-only file system", "440 3", "same",
        "/w:", "ls: /c: No such file or directory", "ls: /other: No such file or directory",
    ]  # fmt: skip


def test_texts_in_the_file(make_project: MakeProject) -> None:
    web = make_build_project(make_project, "", f="")
    web.write(
        "Dockerfile",
        """\
FROM busybox
ARG NAME=world
COPY <<EOF <<-'RAW' /texts/
Hello "$NAME" '${NAME}' \\$NAME
EOF
\t$NAME
\tRAW
RUN cat - /proc/self/fd/3 << EOF 3<<"TWO" >/texts/out
one $NAME
EOF
two $NAME
TWO
RUN <<EOF
#!/bin/sh
echo script $0 >/texts/script
EOF
ADD --chown=7 --chmod=0600 <<own /texts/
x
own
""",
    )
    web.compose("build").ok()
    assert run(web, "cd /texts && cat EOF RAW out && stat -c '%a %u:%g' own EOF") == [
        "Hello \"world\" 'world' $NAME", "$NAME", "one world", "two $NAME", "600 7:7", "644 0:0",
    ]  # fmt: skip


def test_triggers_of_stages_and_images(make_project: MakeProject) -> None:
    compose = """
services:
  base: {image: 'local/base:1', build: {context: ., target: base}}
  web: {build: {context: ., dockerfile_inline: "FROM local/base:1\\nRUN cat /t >>/u\\n"}}
  stage: {build: {context: ., target: child}}
"""
    web = make_build_project(
        make_project,
        """\
        FROM busybox AS tools
        RUN echo tool >/tool
        FROM busybox AS base
        ONBUILD COPY --from=busybox:1 /bin/true /copied
        ONBUILD RUN <<EOF
        echo trigger >/t
        EOF
        FROM base AS child
        RUN cat /t >/u
        """,
        compose=compose,
    )
    web.compose("build", "base").ok()
    web.compose("build", "web", "stage").ok()
    for service in ("web", "stage"):
        assert run(web, "cat /u && ls /copied", service=service) == ["trigger", "/copied"]


def test_mistakes_are_told_at_once_and_shown(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project, "FROM busybox\nRUN sleep 100\nCOPY --form=x a b\nRUN c\n", a=""
    )
    refused = web.compose("build")
    assert_refused(refused, "Dockerfile:3: unknown flag: --form (did you mean from?)")
    assert "   2 |     RUN sleep 100\n   3 | >>> COPY --form=x a b\n" in refused.stderr
    web.write("Dockerfile", "FROM busybox\nRUN sleep 100\nEXPOSE x\n")
    assert_refused(web.compose("build"), "Dockerfile:3: invalid containerPort: x")
    web.write("Dockerfile", "# check=error=true\nFROM busybox AS Base\nRUN sleep 100\n")
    refused = web.compose("build")
    assert_refused(refused, "Dockerfile: lint violation found for rules: StageNameCasing")
    assert "- StageNameCasing: Stage name 'Base' should be lowercase (line 2)" in refused.stderr
    skip = "BUILDKIT_DOCKERFILE_CHECK=skip=StageNameCasing;error=true"
    web.write("Dockerfile", "FROM busybox AS Base\n")
    web.compose("build", "--build-arg", skip).ok()


def test_the_history_is_in_the_words_of_buildkit(make_project: MakeProject, user: User) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM scratch
        ARG A=1 B
        ARG http_proxy
        ENV C="x y" D=$A
        COPY --chown=1:2 f* $D/
        WORKDIR /w
        EXPOSE 82 81/udp
        CMD ["a", "b c"]
        HEALTHCHECK --interval=90s CMD true
        ONBUILD RUN x
        """,
        compose="services: {web: {image: 'local/h:1', build: {context: ., args: {http_proxy: 'http://u:pw@h'}}}}\n",
        f="",
    )
    web.compose("build").ok()
    layout = f"oci:{user.data}/images:docker.io/local/h:1"
    shown = user.run("skopeo", "inspect", "--config", layout).ok().stdout
    config = json.loads(shown)
    assert [line["created_by"] for line in config["history"]] == [
        "ARG A=1 B", "ARG http_proxy", "ENV C=x y D=1", "COPY --chown=1:2 f* 1/ # buildkit", "WORKDIR /w",
        "EXPOSE [81/udp 82/tcp]", 'CMD ["a" "b c"]',
        'HEALTHCHECK &{["CMD-SHELL" "true"] "1m30s" "0s" "0s" "0s" \'\\x00\'}',
    ]  # fmt: skip
    assert "pw@h" not in shown
    assert config["config"]["WorkingDir"] == "/w"


def test_a_stage_starts_from_a_folder_and_programs_know_no_name_of_this_machine(
    make_project: MakeProject,
) -> None:
    web = make_project(
        """
services:
  web:
    build:
      context: .
      args: {http_proxy: "http://u:pw@proxy.test:1"}
      additional_contexts: {lib: ./lib}
""",
        files={
            "lib/bin/tool": "#!/bin/sh\n",
            "lib/left.md": "",
            "lib/.dockerignore": "*.md\n",
            "Dockerfile": """\
FROM lib AS files
FROM busybox
COPY --from=files / /files/
RUN (hostname; grep -c buildkitsandbox /etc/hosts; env | grep -ci proxy.test) >/seen
""",
        },
    )
    built = web.compose("build").ok()
    assert run(web, "cat /seen; cd files && find . -type f | sort") == [
        "buildkitsandbox", "1", "2", "./.dockerignore", "./bin/tool",
    ]  # fmt: skip
    assert "pw@" not in built.stderr
    assert executed_steps(web.compose("build").ok().stderr) == []
