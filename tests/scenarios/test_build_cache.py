"""`cache_from` and `cache_to`: results of steps go to registries and layouts, and come back."""

import json
import shutil
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused
from tests.scenarios.registry import Registry
from tests.scenarios.test_build import executed_steps, make_build_project, remains, run

pytestmark = pytest.mark.usefixtures("busybox_image")

DOCKERFILE = """\
FROM busybox AS tools
RUN date +%s.%N >/tool && mkdir /kept && rm /etc/group
FROM busybox
RUN date +%s.%N >/own && chown 1000:50 /own && chmod 2640 /own && ln /own /hard && rm -r /var
WORKDIR /etc
COPY --from=tools /tool /tool
RUN true
COPY --link f /linked
"""


def build_project(make_project: MakeProject, cache: str) -> Project:
    compose = f"services:\n  web:\n    image: me/cached\n    build:\n      context: .\n{cache}"
    return make_build_project(make_project, DOCKERFILE, compose=compose, f="f\n")


def forget(user: User) -> None:
    """Be another machine: forget the results of all steps."""
    for name in ("steps", "images"):
        shutil.rmtree(user.data / "builds" / name, ignore_errors=True)


def seen(web: Project) -> list[str]:
    look = "cat /own /tool; stat -c '%u:%g %a %h' /own; ls -d /var /linked 2>&1; pwd"
    return run(web, look)


def test_a_layout_has_the_results_of_a_build(make_project: MakeProject, user: User) -> None:
    web = build_project(
        make_project,
        "      cache_from: ['type=local,src=../kept']\n"
        "      cache_to: ['type=local,dest=../kept,mode=max', 'type=gha']\n",
    )
    first = web.compose("build").ok()
    assert "cache_to of type gha is passed over: only BuildKit has it" in first.stderr
    assert "web: cache_from oci:" in first.stderr  # there is none yet, which is told
    assert len(executed_steps(first.stderr)) == 6
    before = seen(web)
    forget(user)
    again = web.compose("build").ok()
    assert executed_steps(again.stderr) == []
    assert again.stderr.count("CACHED") == 6
    assert seen(web) == before
    assert before[2:] == [
        "1000:50 2640 2",
        "ls: /var: No such file or directory",
        "/linked",
        "/etc",
    ]
    # What has changed is run, on top of what has not.
    forget(user)
    web.write("f", "changed\n")
    assert executed_steps(web.compose("build").ok().stderr) == ["COPY --link f /linked"]
    assert remains(user) == []
    shutil.rmtree(web.folder.parent / "kept")


def test_a_registry_has_the_results_of_what_the_image_needs(
    make_project: MakeProject, registry: Registry, user: User
) -> None:
    ref = f"{registry.address}/caches/min"
    web = build_project(
        make_project, f"      cache_from: [{ref}]\n      cache_to: ['type=registry,ref={ref}']\n"
    )
    web.compose("build").ok()
    forget(user)
    steps = executed_steps(web.compose("build").ok().stderr)
    # The files of the other stage have changed with it, and with them all that follows.
    assert steps[0].startswith("RUN date +%s.%N >/tool")
    assert not [step for step in steps if ">/own" in step]


def test_an_image_that_was_pushed_tells_of_its_steps(
    make_project: MakeProject, registry: Registry, user: User
) -> None:
    name = f"{registry.address}/caches/inline"
    web = make_build_project(
        make_project,
        "FROM busybox\nRUN date +%s.%N >/a\nWORKDIR /w\nRUN true\n",
        compose=f"services:\n  web:\n    image: {name}\n    build:\n      context: .\n"
        f"      cache_from: [{name}]\n      cache_to: [type=inline]\n",
    )
    web.compose("build").ok()
    web.compose("push").ok()
    before = run(web, "cat /a; pwd")
    forget(user)
    again = web.compose("build").ok()
    assert executed_steps(again.stderr) == []
    assert run(web, "cat /a; pwd") == before
    web.compose("build").ok()


def test_a_cache_that_lies_is_not_used(make_project: MakeProject, user: User) -> None:
    web = build_project(
        make_project,
        "      cache_from: ['type=local,src=../kept']\n      cache_to: ['type=local,dest=../kept']\n",
    )
    web.compose("build").ok()
    kept = web.folder.parent / "kept"
    config = next(
        path for path in kept.glob("blobs/sha256/*") if b"build-cache" in path.read_bytes()
    )
    told = json.loads(config.read_text())
    assert [step["layer"] for step in told["cntnr.build-cache"]["steps"]].count(-1) == 1
    config.write_text(config.read_text().replace('"layer":0', '"layer":1'))
    forget(user)
    again = web.compose("build").ok()  # skopeo does not take what has another digest
    assert "web: cache_from oci:" in again.stderr
    assert len(executed_steps(again.stderr)) == 6
    shutil.rmtree(kept)


def test_what_is_no_cache_is_refused(make_project: MakeProject, tmp_path: Path) -> None:
    def build(cache: str) -> object:
        return build_project(make_project, f"      {cache}\n").compose("build")

    assert_refused(build("cache_to: ['type=mars']"), "the type is registry, local or inline")  # type: ignore[arg-type]
    assert_refused(build("cache_to: ['type=local']"), "it needs dest=FOLDER")  # type: ignore[arg-type]
    assert_refused(build("cache_from: ['type=local,x=y']"), "x is not known for type=local")  # type: ignore[arg-type]
    failed = build("cache_to: ['type=registry,ref=127.0.0.1:1/a/b']")
    assert_refused(failed, "cannot write cache_to type=registry,ref=127.0.0.1:1/a/b: ")  # type: ignore[arg-type]
