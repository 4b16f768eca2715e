"""Builds of several services: in their order, what is equal once, what does not wait at once."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused
from tests.scenarios.test_build import executed_steps, run

pytestmark = pytest.mark.usefixtures("busybox_image")


def test_a_service_is_built_after_the_image_that_it_starts_from(make_project: MakeProject) -> None:
    web = make_project(
        "services:\n"
        '  top: {build: {dockerfile_inline: "FROM me/middle\\nRUN cat /base /middle >/all"}}\n'
        "  middle:\n    image: me/middle\n"
        '    build: {dockerfile_inline: "FROM me/base:2\\nRUN echo middle >/middle"}\n'
        "  base:\n    image: me/other\n"
        '    build: {tags: ["me/base:2"], dockerfile_inline: "FROM busybox\\nRUN echo ${WHAT} >/base"}\n'
    )
    web.compose("build", "top", env={"WHAT": "old"}).ok()
    assert run(web, "cat /all", service="top") == ["old", "middle"]
    # Those that are here are only built where they are asked for.
    web.compose("build", "top", env={"WHAT": "new"}).ok()
    assert run(web, "cat /all", service="top") == ["old", "middle"]
    web.compose("build", "--pull", env={"WHAT": "new"}).ok()
    assert run(web, "cat /all", service="top") == ["new", "middle"]


def test_circles_are_refused_before_anything_is_built(make_project: MakeProject) -> None:
    web = make_project(
        "services:\n"
        "  a: {image: me/a, build: {dockerfile_inline: FROM me/b}}\n"
        "  b: {image: me/b, build: {dockerfile_inline: FROM me/a}}\n"
        '  own: {image: busybox:own, build: {dockerfile_inline: "FROM busybox\\nRUN true"}}\n'
    )
    refused = web.compose("build")
    assert_refused(refused, "cannot build a, b: each needs another's image")
    assert executed_steps(refused.stderr) == []
    web.compose("build", "own").ok()
    assert_refused(web.compose("build", "own", "a"), "each needs another's image")


def test_equal_steps_run_once_and_others_at_once(make_project: MakeProject) -> None:
    # The last step of each service waits for those of all others.
    meet = "touch /m/$0; for i in $(seq 300); do [ $(ls /m | wc -l) = 4 ] && exit; sleep 0.1; done; exit 1"
    mount = "--mount=type=cache,id=graph,target=/m"
    services = "".join(f"  s{n}: {{build: {{context: ., args: {{N: '{n}'}}}}}}\n" for n in range(4))
    web = make_project(
        f"services:\n{services}",
        files={
            "Dockerfile": "FROM busybox\nRUN sleep 0.5; cat /proc/uptime >/same\nARG N\n"
            f"RUN {mount} sh -c '{meet}' $N\n"
        },
    )
    built = web.compose("build").ok()
    steps = executed_steps(built.stderr)
    assert len([step for step in steps if "/same" in step]) == 1
    assert len(steps) == 5
    assert len({tuple(run(web, "cat /same", service=f"s{n}")) for n in range(4)}) == 1
