"""Builds of images and contexts that mean harm: nothing of the machine is changed or read."""

import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User
from tests.scenarios.test_build import make_build_project, run

pytestmark = pytest.mark.usefixtures("busybox_image")


@pytest.fixture
def precious(user: User) -> Iterator[Path]:
    """Yield a folder of the user's; check at the end that it is unchanged."""
    folder = user.base / "precious"
    (folder / "sub").mkdir(parents=True)
    (folder / "f").write_text("untouched\n")
    (folder / "passwd").write_text("joe:x:77:77::/:/bin/sh\n")
    user.own(folder)
    places = (folder, *sorted(folder.rglob("*")))
    for path in places:
        os.utime(path, (1000, 1000))
    before = [(str(path), *_look(path)) for path in places]
    yield folder
    after = [(str(path), *_look(path)) for path in (folder, *sorted(folder.rglob("*")))]
    shutil.rmtree(folder)
    assert after == before


def _look(path: Path) -> tuple[object, ...]:
    status = path.stat()
    content = path.read_text() if path.is_file() else ""
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime, content


def test_what_dockerignore_lets_in_again_goes_through_no_link(
    make_project: MakeProject, precious: Path
) -> None:
    files = {".dockerignore": "*\n!src/**\n", "src/f": "evil\n", "src/sub/g": "evil\n"}
    web = make_build_project(
        make_project,
        f"FROM busybox\nRUN mkdir /app && ln -s {precious} /app/src\nCOPY . /app\n",
        **files,
    )
    failed = web.compose("build")
    assert failed.returncode == 1
    assert "Dockerfile:3: cannot copy to non-directory: /app/src" in failed.stderr


LINKS = """\
FROM busybox AS base
RUN ln -s {0} /out && ln -s {0}/f /file && mkdir /d /etc2 && ln -s {0}/f /d/f && ln -s {0} /d/sub \\
  && ln -s ../../../../../../../..{0} /up && mkfifo /pipe && ln -s {0}/passwd /etc2/passwd
FROM base
{1}
"""


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("COPY f /out/", ""),
        ("COPY f /out/new", ""),
        ("COPY f /up/f", ""),
        ("COPY f /file", ""),
        ("COPY --chown=5:6 --chmod=600 f /file", ""),
        ("COPY --chown=5:6 --chmod=700 folder /out", ""),
        ("COPY folder /d", "cannot copy to non-directory: /d/sub"),
        ("COPY f folder/f /d/", ""),
        ("COPY f /pipe", ""),
        ("COPY folder /pipe", "cannot copy to /pipe: it is not a folder"),
        ("COPY --from=base /out/f /", "cannot copy out/f: not found in the stage"),
        ("COPY --from=base /d /e", ""),
        ("COPY --link f /out/", ""),
        ("COPY <<EOF /file\nevil\nEOF", ""),
        ("COPY <<EOF /out/\nevil\nEOF", ""),
        ("COPY <<../../../../../../../..{0}/f /d/\nevil\n../../../../../../../..{0}/f", "not a file's name"),
        ("ADD a.tar /out/", ""),
        ("ADD a.tar /d/", ""),
        ("ADD a.tar /new/", ""),
        ("WORKDIR /out/sub", ""),
        ("WORKDIR /out/new/deep", ""),
        ("VOLUME /out/sub", ""),
        ("RUN touch -c /out/f; echo evil >/file; chmod 777 /out; true", ""),
        ("RUN --mount=type=bind,source=f,target=/out/f cat /out/f", ""),
        ("RUN --mount=type=cache,target=/out/sub touch /out/sub/x", ""),
        ("RUN --mount=type=tmpfs,target=/out/sub touch /out/sub/x", ""),
        ("RUN --mount=type=secret,id=s,target=/file cat /file", ""),
        ("RUN --mount=type=bind,from=base,source=out,target=/x ls /x", "cannot copy out: not found"),
        ("RUN cd /etc; rm passwd; ln -s {0}/passwd .\nUSER joe\nRUN id", "unable to find user joe"),
        ("RUN cd /etc; rm passwd; ln -s {0}/passwd .\nCOPY --chown=joe f /g", "unable to find user joe"),
    ],
)  # fmt: skip
def test_links_of_an_image_are_followed_within_it(
    make_project: MakeProject, precious: Path, line: str, there: str
) -> None:
    compose = "services: {web: {build: {context: ., secrets: [s]}}}\nsecrets: {s: {file: ./f}}\n"
    files = {"f": "evil\n", "folder/f": "evil\n", "folder/sub/f": "evil\n"}
    web = make_build_project(
        make_project, LINKS.format(precious, line.format(precious)), compose=compose, **files
    )
    archive(web, precious)
    ended = web.compose("build")
    assert "Traceback" not in ended.stderr
    assert there in ended.stderr
    assert ended.returncode == (1 if there else 0), str(ended)


def archive(web: Project, outside: Path) -> None:
    """Write an archive whose links lead out."""
    with tarfile.open(web.folder / "a.tar", "w") as tar:
        for name, to in (
            ("f", ""), ("sub/f", ""), (f"../../../../..{outside}/f", ""), (f"{outside}/f", ""),
            ("l", str(outside)), ("l/f", ""), ("m", f"../../../../../../..{outside}"), ("m/f", ""),
        ):  # fmt: skip
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = (tarfile.SYMTYPE, to) if to else (tarfile.REGTYPE, "")
            entry.size = 0 if to else 5
            tar.addfile(entry, io.BytesIO(b"evil\n"))
    web.user.own(web.folder)


def test_what_a_step_writes_to_the_context_goes_with_it(make_project: MakeProject) -> None:
    web = make_build_project(
        make_project,
        """\
        FROM busybox
        RUN --mount=type=bind,source=f,target=/f,rw --mount=type=bind,source=d,target=/d,rw \\
          echo evil >/f && echo evil >/d/g && cat /f /d/g >/seen
        """,
        **{"f": "untouched\n", "d/g": "untouched\n"},
    )
    web.compose("build").ok()
    assert run(web, "cat /seen") == ["evil", "evil"]
    assert (web.folder / "f").read_text() == (web.folder / "d/g").read_text() == "untouched\n"


def test_folders_lie_deep_in_each_other(make_project: MakeProject, user: User) -> None:
    deep = "i=0; while [ $i -lt {0} ]; do mkdir d; cd d; i=$((i+1)); done; touch here"
    web = make_build_project(
        make_project,
        f"""\
        FROM busybox AS one
        RUN {deep.format(1300)}
        FROM busybox
        COPY --from=one /d /e
        """,
    )
    web.compose("build").ok()
    assert run(web, "find /e -name here | tr -cd / | wc -c") == ["1301"]
    # As deep as a shell gets, which is deeper than one path can be long.
    web.write("Dockerfile", f"FROM busybox\nRUN {deep.format(5000)}\n")
    web.compose("build").ok()
    assert run(web, "test -d /d/d/d && echo there") == ["there"]
    web.write("Dockerfile", "FROM busybox\nRUN touch /other\n")
    web.compose("build").ok()
    assert list(user.data.glob("*/.draft-*")) == []
