"""Build contexts that are no folder of the user: git, archives, what a server has, layouts of images."""

import contextlib
import io
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused
from tests.scenarios.registry import make_image
from tests.scenarios.test_build import executed_steps, remains, run

pytestmark = pytest.mark.usefixtures("busybox_image")

GIT = (
    "git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main",
    "-c", "commit.gpgsign=false",
)  # fmt: skip


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
        """Log nothing."""


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def git(folder: Path, *words: str) -> None:
    subprocess.run([*GIT, "-C", str(folder), *words], check=True, capture_output=True)


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-m", message)
    git(folder, "update-server-info")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository of two branches, in a folder that is served."""
    folder = tmp_path / "repo"
    (folder / "sub").mkdir(parents=True)
    git(folder, "init")
    (folder / "Dockerfile").write_text("FROM busybox\nCOPY . /all\nRUN cat /all/f >/which\n")
    (folder / ".dockerignore").write_text("ignored\n")
    (folder / "ignored").touch()
    (folder / "f").write_text("main\n")
    (folder / "sub/Dockerfile").write_text("FROM busybox\nCOPY g /which\n")
    (folder / "sub/g").write_text("sub\n")
    commit(folder, "first")
    git(folder, "checkout", "-b", "other")
    (folder / "f").write_text("other\n")
    (folder / "sub/g").write_text("other sub\n")
    (folder / "sub/Leads").symlink_to("/etc/passwd")
    commit(folder, "second")
    git(folder, "checkout", "main")
    return folder


def project(make_project: MakeProject, *contexts: str) -> Project:
    services = "".join(f"  s{n}: {{build: '{word}'}}\n" for n, word in enumerate(contexts))
    return make_project(f"services:\n{services}")


def test_git_repositories_are_contexts(
    make_project: MakeProject, repository: Path, user: User
) -> None:
    with serve(repository) as address:
        url = f"{address}/.git"
        web = project(
            make_project, url, f"{url}#other", f"{url}#other:sub", f"{url}?branch=other&subdir=sub"
        )
        built = web.compose("build").ok()
        assert [run(web, "cat /which", service=f"s{n}") for n in range(4)] == [
            ["main"], ["other"], ["other sub"], ["other sub"],
        ]  # fmt: skip
        assert run(web, "ls -A /all", service="s0") == [".dockerignore", "Dockerfile", "f", "sub"]
        assert executed_steps(built.stderr)
        assert executed_steps(web.compose("build").ok().stderr) == []
        (repository / "f").write_text("newer\n")
        commit(repository, "third")
        web.compose("build", "s0").ok()
        assert run(web, "cat /which", service="s0") == ["newer"]
        web = project(make_project, f"{url}#nowhere", f"{url}#other:nope")
        assert_refused(web.compose("build", "s0"), "repository does not contain ref nowhere")
        assert_refused(web.compose("build", "s1"), "cannot build s1: there is no folder nope in ")
        web = make_project(
            f"services: {{web: {{build: {{context: '{url}#other:sub', dockerfile: Leads}}}}}}\n"
        )
        assert_refused(web.compose("build"), "failed to read dockerfile: Leads does not exist in")
    assert remains(user) == []


def archive(path: Path, *members: tuple[str, str], links: dict[str, str] | None = None) -> Path:
    """Write a tar archive of texts and symbolic links."""
    mode = "w:gz" if path.suffix == ".gz" else "w"
    with tarfile.open(path, mode) as out:  # type: ignore[call-overload]
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            out.addfile(link)
        for name, text in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o640
            member.uid = member.gid = 4321
            out.addfile(member, io.BytesIO(text.encode()))
    return path


def test_archives_and_dockerfiles_of_servers_are_contexts(
    make_project: MakeProject, tmp_path: Path
) -> None:
    text = "FROM busybox\nCOPY d/f /which\nRUN stat -c '%a %u' /which >/how\n"
    archive(tmp_path / "c.tar.gz", ("Dockerfile", text), ("d/f", "of an archive\n"))
    (tmp_path / "Just.Dockerfile").write_text("FROM busybox\nRUN echo alone >/which\n")
    with serve(tmp_path) as address:
        web = project(make_project, f"{address}/c.tar.gz", f"{address}/Just.Dockerfile", "./c.tar")
        archive(web.folder / "c.tar", ("Dockerfile", text), ("./d/f", "a file here\n"))
        web.user.own(web.folder)
        web.compose("build").ok()
        assert run(web, "cat /which /how", service="s0") == ["of an archive", "640 0"]
        assert run(web, "cat /which", service="s1") == ["alone"]
        assert run(web, "cat /which", service="s2") == ["a file here"]
        assert executed_steps(web.compose("build").ok().stderr) == []
        archive(tmp_path / "c.tar.gz", ("Dockerfile", text), ("d/f", "a newer archive\n"))
        web.compose("build", "s0").ok()
        assert run(web, "cat /which", service="s0") == ["a newer archive"]
        gone = project(make_project, f"{address}/nothing.tar")
        assert_refused(gone.compose("build"), "the server answers 404")


def test_archives_that_mean_harm_reach_nothing(make_project: MakeProject, user: User) -> None:
    precious = user.base / "precious"
    precious.mkdir()
    user.own(precious)
    web = project(make_project, "./evil.tar", "./link.tar", "./broken.tar")
    archive(
        web.folder / "evil.tar", ("Dockerfile", "FROM scratch\nCOPY a /a\n"), ("out/f", "evil"),
        ("../../../escaped", "evil"), links={"out": str(precious)},
    )  # fmt: skip
    archive(web.folder / "link.tar", links={"Dockerfile": "/etc/passwd"})
    whole = archive(web.folder / "whole.tar", ("Dockerfile", "FROM busybox\n" + "#" * 50_000))
    (web.folder / "broken.tar").write_bytes(whole.read_bytes()[:20_000])
    user.own(web.folder)
    assert web.compose("build", "s0").returncode == 1
    assert_refused(web.compose("build", "s1"), "Dockerfile does not exist in ")
    assert_refused(web.compose("build", "s2"), "cannot unpack ")
    assert list(precious.iterdir()) == []
    assert not list(user.base.rglob("escaped"))
    shutil.rmtree(precious)


def test_further_contexts_may_be_any_of_these(
    make_project: MakeProject, repository: Path, tmp_path: Path, user: User
) -> None:
    layout = user.base / "layout"
    shutil.copytree(make_image("busybox"), layout)
    user.own(layout)
    archive(tmp_path / "c.tar", ("f", "of an archive\n"))
    with serve(tmp_path) as address:
        web = make_project(
            "services:\n  web:\n    build:\n      context: .\n      additional_contexts:\n"
            f"        repo: {address}/repo/.git#other\n        packed: {address}/c.tar\n"
            f"        base: oci-layout://{layout}:busybox\n",
            files={
                "Dockerfile": "FROM base\nCOPY --from=repo f /a\nCOPY --from=packed f /b\n"
                "COPY --from=base /bin/sh /c\n"
            },
        )
        web.compose("build").ok()
    assert run(web, "cat /a /b; test -s /c && echo base") == ["other", "of an archive", "base"]
    shutil.rmtree(layout)
