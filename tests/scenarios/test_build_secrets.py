"""Secrets of a build: programs have them, and nothing that is kept does."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User
from tests.scenarios.test_build import make_build_project, run

pytestmark = pytest.mark.usefixtures("busybox_image")

OF_A_FILE, OF_A_VARIABLE = "secret-of-a-file-92f1", "secret-of-a-variable-c07e"
COMPOSE = """\
services:
  web:
    build:
      context: .
      secrets:
        - token
        - {source: key, target: renamed, uid: "1000", mode: 0440}
secrets:
  token: {file: ../token}
  key: {environment: SECRET_KEY}
"""
DOCKERFILE = """\
FROM busybox
RUN --mount=type=secret,id=token cmp -n 21 /run/secrets/token /run/secrets/token && \\
  wc -c </run/secrets/token >/length
RUN --mount=type=secret,id=renamed,target=/etc/key stat -c '%a %u' /etc/key >/mode && \\
  wc -c </etc/key >>/length
RUN --mount=type=secret,id=token,env=TOKEN --mount=type=secret,id=renamed,env=KEY \\
  echo ${#TOKEN} ${#KEY} >>/length
RUN ls /run/secrets /etc/key >/left 2>&1; env >>/left; true
RUN --mount=type=secret,id=token,env=TOKEN --mount=type=cache,target=/cache test ${FAIL:+x} || sleep 0.1
"""


def kept_files(user: User) -> Iterator[Path]:
    """List all files that a user has: data, configuration, what is at run time, projects."""
    pending = [user.base, user.runtime, Path("/tmp")]
    while pending:  # other tests leave folders that are nested deeper than recursion goes
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                else:
                    yield Path(entry.path)


def files_with(user: User, words: tuple[str, ...]) -> list[str]:
    """List the files that have one of the words in them, compressed or not."""
    matches, ranges = [], user.ids()
    for path in kept_files(user):
        try:
            status = path.lstat()
            if path.is_relative_to("/tmp") and not any(status.st_uid in ids for ids in ranges):
                continue
            if path.is_symlink() or not path.is_file() or status.st_size > 50 << 20:
                continue
            content = path.read_bytes()
        except OSError:  # gone meanwhile
            continue
        if content[:2] == b"\x1f\x8b":
            content += subprocess.run(["zcat", str(path)], capture_output=True, check=False).stdout
        if any(word.encode() in content for word in words):
            matches.append(str(path))
    return matches


def test_secrets_are_in_no_layer_no_log_and_no_cache(make_project: MakeProject, user: User) -> None:
    web = make_build_project(make_project, DOCKERFILE, compose=COMPOSE)
    secret = web.folder.parent / "token"
    secret.write_text(OF_A_FILE)
    user.own(secret)
    env = {"SECRET_KEY": OF_A_VARIABLE}
    built = web.compose("build", env=env).ok()
    sizes = [str(len(OF_A_FILE)), str(len(OF_A_VARIABLE))]
    assert run(web, "cat /length /mode") == [*sizes, " ".join(sizes), "440 1000"]
    left = "\n".join(run(web, "cat /left"))
    words = (OF_A_FILE, OF_A_VARIABLE)
    ended = [built, web.compose("build", "--no-cache", env=env).ok()]
    web.write("Dockerfile", DOCKERFILE + "RUN --mount=type=secret,id=token,env=T false\n")
    failed = web.compose("build", env=env)
    assert failed.returncode == 1
    ended += [failed, web.compose("config", env=env), web.compose("build", "--print", env=env)]
    for said in (left, *(result.stdout + result.stderr for result in ended)):
        assert not [word for word in words if word in said]
    assert files_with(user, words) == [str(secret)]
    secret.unlink()


def test_another_secret_does_not_run_a_step_anew(make_project: MakeProject, user: User) -> None:
    # As in BuildKit: what a step reads from a secret is no part of its key, so nothing of it is kept.
    web = make_build_project(
        make_project,
        'FROM busybox\nRUN --mount=type=secret,id=key,env=K test -n "$K" && date +%N >/when\n',
        compose="services: {web: {build: {context: ., secrets: [key]}}}\n"
        "secrets: {key: {environment: SECRET_KEY}}\n",
    )
    web.compose("build", env={"SECRET_KEY": "one"}).ok()
    first = run(web, "cat /when")
    web.compose("build", env={"SECRET_KEY": "two"}).ok()
    assert run(web, "cat /when") == first
