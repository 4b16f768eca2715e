"""`cntnr build` is docker build: contexts, flags, outputs, what is printed where."""

import functools
import http.server
import json
import tarfile
import threading
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, assert_refused
from tests.scenarios.registry import Registry

pytestmark = pytest.mark.usefixtures("busybox_image")

DOCKERFILE = """\
FROM busybox AS base
ARG A=none
RUN echo "$A" >/made; cat /made
FROM base AS other
RUN echo other >/made
FROM base
CMD ["cat", "/made"]
"""

HOST_SERVICE = """
services:
  a:
    build:
      dockerfile_inline: "FROM busybox\\nRUN --network=host true"
      entitlements: [network.host]
"""


@pytest.fixture
def folder(make_project: MakeProject) -> Project:
    """Make a folder with a Dockerfile, and a compose file that runs the image `ours/app`."""
    text = "services: {a: {image: ours/app, network_mode: none}}\n"
    return make_project(text, files={"ctx/Dockerfile": DOCKERFILE, "ctx/file": "content\n"})


def build(folder: Project, *words: str, **more: Any) -> Result:
    return folder.cntnr("build", *words, **more)


def run(folder: Project, *words: str) -> str:
    return folder.compose("run", "--rm", "a", *words).ok().stdout


def test_ids_and_progress_go_where_docker_has_them(folder: Project) -> None:
    words = ("-t", "ours/app", "--build-arg", "A=x", "ctx")
    built = build(folder, *words, "--iidfile", "id", "--metadata-file", "about.json").ok()
    assert built.stdout == ""
    assert "[base 1/1] RUN" in built.stderr
    assert "\nx\n" in built.stderr
    assert run(folder) == "x\n"
    identity = (folder.folder / "id").read_text()
    quiet = folder.cntnr("image", "build", "-q", *words).ok()
    assert (quiet.stdout, quiet.stderr) == (f"{identity}\n", "")
    about = json.loads((folder.folder / "about.json").read_text())
    assert about["containerimage.config.digest"] == identity
    assert about["containerimage.descriptor"]["digest"] == about["containerimage.digest"]
    assert about["image.name"] == "docker.io/ours/app:latest"
    # A build that fails leaves no id behind.
    failed = build(folder, "--target", "none", "--iidfile", "id", "ctx")
    assert_refused(failed, "Dockerfile: target stage none could not be found")
    assert not (folder.folder / "id").exists()
    for name in (("builder", "build"), ("buildx", "build"), ("buildx", "b")):
        assert folder.cntnr(*name, "-q", *words).ok().stdout == quiet.stdout
    for mode in ("auto", "plain", "tty", "quiet", "rawjson"):
        build(folder, *words, "--progress", mode).ok()
    assert build(folder, *words, env={"BUILDKIT_PROGRESS": "quiet"}).ok().stderr == ""
    lines = build(folder, *words, "--no-cache", "--progress", "rawjson").ok().stderr
    assert any(json.loads(line).get("text") == "x" for line in lines.splitlines())


def test_names_targets_and_labels(folder: Project) -> None:
    build(
        folder,
        "-t",
        "ours/app",
        "-t",
        "ours/second:2",
        "--target",
        "other",
        "--label",
        "a=b",
        "ctx",
    ).ok()
    assert run(folder, "cat", "/made") == "other\n"
    listed = folder.cntnr("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").ok().stdout
    names = dict(line.split() for line in listed.splitlines())
    assert names["ours/app:latest"] == names["ours/second:2"]
    labelled = folder.cntnr("images", "-q", "--filter", "label=a=b").ok().stdout
    assert names["ours/app:latest"] in labelled
    # Without a name it is there by its id.
    nameless = build(folder, "-q", "--label", "nameless", "ctx").ok().stdout.strip()
    assert nameless[7:19] in folder.cntnr("images", "-aq").ok().stdout
    build(folder, "-t", "ours/app", "--build-context", "c=ctx", "--pull", "--load", "-f", "-", ".",
          stdin="FROM busybox\nCOPY --from=c file /\nCMD cat /file\n").ok()  # fmt: skip
    assert run(folder) == "content\n"


def test_the_dockerfile_is_named_from_here(folder: Project) -> None:
    folder.write("Other.dockerfile", "FROM busybox\nCOPY . /all\nCMD ls /all\n")
    folder.write("Other.dockerfile.dockerignore", "Dockerfile\n")
    build(folder, "-f", "Other.dockerfile", "-t", "ours/app", "ctx").ok()
    assert run(folder) == "file\n"
    (folder.folder / "ctx/Dockerfile").rename(folder.folder / "ctx/dockerfile")
    build(folder, "-t", "ours/app", "ctx").ok()
    assert run(folder) == "none\n"
    assert_refused(
        build(folder, "-f", "none", "ctx"), "failed to read dockerfile", "does not exist"
    )
    folder.write("Bad", "FROM busybox\nRUN exit 7\n")
    assert_refused(build(folder, "-f", "Bad", "ctx"), "Bad:2:", "exit code: 7")
    folder.write("Wrong", "FROM busybox\nRUNN x\n")
    assert_refused(build(folder, "-f", "Wrong", "ctx"), "Wrong:2: unknown instruction: RUNN")


def test_standard_input_has_the_dockerfile_or_the_context(folder: Project) -> None:
    text = "FROM busybox\nRUN echo piped >/x; ls\nCMD cat /x\n"
    build(folder, "-t", "ours/app", "-", stdin=text).ok()
    assert run(folder) == "piped\n"
    copying = build(folder, "-", stdin="FROM busybox\nCOPY file /\n")
    assert_refused(copying, "cannot copy file: not found in the build context")
    for option in ("cf", "czf"):
        script = f"tar {option} - -C ctx . | cntnr build -t ours/app --build-arg A={option} -"
        folder.user.run("sh", "-c", script, cwd=folder.folder).ok()
        assert run(folder) == f"{option}\n"
    folder.write("ctx/sub/Second", "FROM busybox\nCOPY file /\nCMD cat /file\n")
    script = "tar cf - -C ctx . | cntnr build -t ours/app -f sub/Second -"
    folder.user.run("sh", "-c", script, cwd=folder.folder).ok()
    assert run(folder) == "content\n"
    assert_refused(build(folder, "-"), "the Dockerfile is empty")
    assert_refused(build(folder, "-f", "-", "ctx"), "standard input: it is empty")
    assert_refused(build(folder, "-f", "-", "-", stdin=text), "both the context and the Dockerfile")
    script = "head -c 2000 /dev/urandom | cntnr build -"
    ended = folder.user.run("sh", "-c", script, cwd=folder.folder)
    assert_refused(ended, "standard input is neither a Dockerfile nor an archive")


def test_contexts_come_from_servers(folder: Project) -> None:
    folder.write("ctx/sub/Second", "FROM busybox\nCOPY file /\nCMD cat /file\n")
    folder.user.run("tar", "czf", "ctx.tgz", "-C", "ctx", ".", cwd=folder.folder).ok()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        build(folder, "-t", "ours/app", f"{address}/ctx.tgz").ok()
        assert run(folder) == "none\n"
        build(folder, "-t", "ours/app", "-f", "sub/Second", f"{address}/ctx.tgz").ok()
        assert run(folder) == "content\n"
        build(folder, "-t", "ours/app", f"{address}/ctx/Dockerfile").ok()
        assert run(folder) == "none\n"
        assert_refused(build(folder, f"{address}/none"), "404")
        server.shutdown()


def test_secrets_come_from_files_and_variables(folder: Project) -> None:
    folder.write("s", "hush\n")
    text = (
        "FROM busybox\nRUN --mount=type=secret,id=a cat /run/secrets/a | rev >/a\n"
        "RUN --mount=type=secret,id=b,env=B echo $B | rev >/b\nRUN --mount=type=secret,id=C rev "
        "</run/secrets/C >/c\nCMD cat /a /b /c\n"
    )
    words = (
        "--secret",
        "id=a,src=s",
        "--secret",
        "id=b,env=V",
        "--secret",
        "id=C",
        "-t",
        "ours/app",
    )
    build(folder, *words, "-", stdin=text, env={"V": "loud", "C": "last"}).ok()
    assert run(folder) == "hsuh\nduol\ntsal"
    assert_refused(build(folder, "--secret", "src=s", "ctx"), "it needs an id")
    assert_refused(build(folder, "--secret", "id=a,x=y", "ctx"), "unexpected key 'x'")
    assert_refused(build(folder, "--secret", "id=a,src=none", "ctx"), "there is no file")
    assert_refused(build(folder, "--secret", "id=a,type=x", "ctx"), 'unsupported secret type "x"')
    assert_refused(build(folder, "--ssh", "k=/nope", "ctx"), "/nope does not exist")


def test_programs_of_run_get_hosts_limits_and_networks(folder: Project) -> None:
    text = "FROM busybox\nRUN grep far /etc/hosts; ulimit -n; df -k /dev/shm | tail -1; ls /sys/class/net\n"
    words = (
        "--add-host", "far:1.2.3.4", "--add-host", "v6=[::5]", "--ulimit", "nofile=100:200",
        "--shm-size", "2m", "--network", "none", "--memory", "64m", "--platform", "linux/amd64,linux/amd64",
    )  # fmt: skip
    built = build(folder, *words, "--no-cache", "-", stdin=text).ok().stderr
    assert "1.2.3.4\tfar" in built.replace(" ", "\t")
    assert "\n100\n" in built
    assert " 2048 " in built
    assert "\nlo\n" in built
    host = "FROM busybox\nRUN --network=host ls /sys/class/net\n"
    assert_refused(build(folder, "-", stdin=host), "network.host is not allowed")
    build(folder, "--network", "host", "-", stdin=host).ok()
    both = f"{host}RUN ls /sys/class/net\n"
    listed = build(folder, "--allow", "network.host", "--no-cache", "-", stdin=both).ok().stderr
    assert "\ntap0\n" in listed
    folder.write("compose.yaml", HOST_SERVICE)
    folder.compose("build", "a").ok()


def test_results_go_elsewhere(folder: Project, registry: Registry) -> None:
    text = "FROM scratch\nCOPY file /sub/\n"
    folder.write("ctx/Small", text)
    words = ("-f", "ctx/Small", "ctx")
    build(folder, "-o", "out", *words).ok()
    assert (folder.folder / "out/sub/file").read_text() == "content\n"
    build(folder, "--output", "type=tar,dest=files.tar", *words).ok()
    with tarfile.open(folder.folder / "files.tar") as tar:
        assert "sub/file" in tar.getnames()
    build(folder, "-o", "type=oci,dest=image.tar", "-o", "type=docker,dest=d.tar", *words).ok()
    for name, member in (("image.tar", "oci-layout"), ("d.tar", "manifest.json")):
        with tarfile.open(folder.folder / name) as tar:
            assert member in tar.getnames()
    build(folder, "--push", "-t", f"{registry.address}/built/pushed:1", *words).ok()
    assert registry.tags("built/pushed") == ["1"]
    name = f"{registry.address}/built/other:2"
    build(folder, "-o", f"type=image,name={name},push=true", *words).ok()
    assert registry.tags("built/other") == ["2"]
    assert_refused(build(folder, "--push", *words), "tag is needed when pushing to registry")
    assert_refused(build(folder, "-o", "type=none", *words), 'invalid output "type=none"')


def test_checks_and_stages_are_printed(folder: Project) -> None:
    assert build(folder, "--check", "ctx").ok().stdout == "Check complete, no warnings found.\n"
    ended = build(folder, "--call", "check", "-", stdin="FROM busybox as Base\nCMD x\n")
    assert ended.returncode == 1
    assert "WARNING: FromAsCasing" in ended.stdout
    targets = build(folder, "--call", "targets", "ctx").ok().stdout
    assert [line.split()[0] for line in targets.splitlines()] == [
        "TARGET",
        "base",
        "other",
        "(default)",
    ]
    text = (
        "ARG V=1\nFROM busybox AS one\nARG V\nRUN --mount=type=secret,id=s,required --mount=type=ssh true\n"
        "FROM one AS two\nARG W=$V.2\n"
    )
    outline = build(folder, "--call", "outline", "--build-arg", "V=9", "-", stdin=text).ok().stdout
    assert outline.split("\n\n") == [
        "TARGET:   two", "BUILD ARG   VALUE   DESCRIPTION\nV           9\nW           9.2",
        "SECRET   REQUIRED\ns        true", "SSH       REQUIRED\ndefault\n",
    ]  # fmt: skip
    ended = build(folder, "--call", "check,format=json", "ctx")
    assert_refused(ended, 'cannot answer --call "check,format=json"')


def test_what_has_no_effect_is_told_once(folder: Project) -> None:
    words = (
        "--builder", "far", "--attest", "type=sbom", "--provenance", "mode=max", "--sbom", "true",
        "--cgroup-parent", "x", "--compress", "--cpu-shares", "5", "--security-opt", "a=b",
    )  # fmt: skip
    told = build(folder, *words, "ctx").ok().stderr
    assert told.count("has no effect") + told.count("have no effect") == 6
    silent = build(
        folder, "--rm", "--force-rm", "--disable-content-trust", "--builder", "default",
        "--provenance=false", "ctx",
    ).ok()  # fmt: skip
    assert "effect" not in silent.stderr
    assert_refused(build(folder, "--squash", "ctx"), "--squash: BuildKit has it no more")
    assert_refused(build(folder, "--allow", "security.insecure", "ctx"), "is refused")
    assert_refused(
        build(folder, "--allow", "x", "ctx"), "the only entitlement here is network.host"
    )


def test_steps_come_from_caches_elsewhere(folder: Project) -> None:
    text = "FROM busybox\nRUN date +%s%N >/at\nCMD cat /at\n"
    build(folder, "--cache-to", "type=local,dest=cache", "-t", "ours/app", "-", stdin=text).ok()
    first = run(folder)
    folder.cntnr("builder", "prune", "-af").ok()
    folder.cntnr("rmi", "ours/app").ok()
    words = ("--cache-from", "type=local,src=cache", "-t", "ours/app", "-")
    build(folder, *words, stdin=text).ok()
    assert run(folder) == first
    ended = build(folder, "--cache-from", "type=what", "ctx")
    assert_refused(ended, "the type is registry, local or inline")


def test_stages_run_anew_and_manifests_are_annotated(folder: Project, registry: Registry) -> None:
    text = "FROM busybox AS first\nRUN date +%N\nFROM first AS second\nRUN date +%s%N >/at\n"
    build(folder, "-", stdin=text).ok()
    anew = build(folder, "--no-cache-filter", "second", "-", stdin=text).ok().stderr
    assert anew.count("CACHED") == 1, anew
    name = f"{registry.address}/built/annotated:1"
    words = ("--annotation", "a=b", "--annotation", "manifest:c=d=e", "-t", name, "--push", "-")
    build(folder, *words, stdin=text).ok()
    assert registry.manifest("built/annotated", "1")["annotations"] == {"a": "b", "c": "d=e"}
    assert_refused(build(folder, "--annotation", "index:a=b", "ctx"), "without an index")
    assert_refused(build(folder, "--annotation", "a", "ctx"), "it should be NAME=VALUE")
    assert_refused(build(folder, "--shell-on-failure", "ctx"), "needs a terminal")
    assert "skopeo" in build(folder, "-D", "--pull", "ctx").ok().stderr


def test_mistakes_are_told(folder: Project) -> None:
    assert_refused(build(folder), "cntnr build requires 1 argument")
    assert_refused(build(folder, "none"), "none does not exist")
    assert_refused(build(folder, "ctx/file"), "is neither a folder nor an archive")
    assert_refused(build(folder, "-t", "A:b:c", "ctx"), "invalid image name")
    assert_refused(
        build(folder, "--build-arg", "=x", "ctx"), 'invalid argument "=x" for --build-arg'
    )
    assert_refused(build(folder, "--label", "=x", "ctx"), 'invalid argument "=x" for --label')
    assert_refused(build(folder, "--build-context", "x", "ctx"), "it should be NAME=VALUE")
    assert_refused(build(folder, "--build-context", "x=none", "ctx"), "none does not exist")
    assert_refused(build(folder, "--add-host", "x", "ctx"), "it should be HOST:ADDRESS")
    assert_refused(build(folder, "--add-host", "x:y", "ctx"), '"y" is no address')
    assert_refused(build(folder, "--ulimit", "nofile=5:4", "ctx"), "above the hard one")
    assert_refused(build(folder, "--ulimit", "nofile", "ctx"), "it should be NAME=SOFT[:HARD]")
    assert_refused(build(folder, "--shm-size", "x", "ctx"), 'invalid argument "x" for --shm-size')
    assert_refused(build(folder, "--network", "mine", "ctx"), 'unsupported network "mine"')
    assert_refused(build(folder, "--platform", "linux/s390x", "ctx"), "linux/s390x")
    assert_refused(build(folder, "--progress", "x", "ctx"), 'unsupported --progress value "x"')
    assert_refused(build(folder, "--iidfile", "none/x", "ctx"), "cannot write none/x")
    assert_refused(build(folder, "--taag", "x", "ctx"), "--taag")
    for option in ("--label", "--annotation", "--no-cache-filter"):
        assert_refused(build(folder, option, "a=\udcff", "ctx"), "is not UTF-8")
    steps = ("--from", "busybox", "--cmd", "\udcff")
    assert_refused(folder.cntnr("image", "create", *steps), "is not UTF-8")
