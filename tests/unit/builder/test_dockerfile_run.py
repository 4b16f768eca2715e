"""RUN to a step: command, environment, mounts."""

from cntnr_compose.builder.dockerfile.steps import RunMount, RunStep
from cntnr_compose.model.image import ImageConfig
from tests.unit.builder.test_dockerfile_instructions import apply_body, work


def test_run_has_environment_user_and_place() -> None:
    body = 'ARG A=1\nARG http_proxy=p\nENV B=2\nUSER me\nRUN echo $A\nRUN ["x", "y"]'
    env = ("A=1", "PATH=/bin", "B=2")
    assert apply_body(body)[1] == [
        RunStep(argv=("/bin/sh", "-c", "echo $A"), env=env, user="me"),
        RunStep(argv=("x", "y"), env=env, user="me"),
    ]


def test_run_reads_texts() -> None:
    bare = ImageConfig()
    assert work("RUN <<EOF\na\nb\nEOF", base=bare) == RunStep(argv=("/bin/sh", "-c", "a\nb\n"))
    assert work("RUN <<EOF\n#!/usr/bin/env python3\nEOF", base=bare) == RunStep(
        argv=(), script="#!/usr/bin/env python3\n"
    )
    assert work("RUN cat <<A >x && cat <<B\n1\nA\n2\nB", base=bare) == RunStep(
        argv=("/bin/sh", "-c", "cat <<A >x && cat <<B\n1\nA\n2\nB\n")
    )


def test_run_mounts() -> None:
    body = (
        "RUN --network=none --mount=target=/ctx,rw --mount=type=bind,from=first,src=/a,dst=/b"
        " --mount=type=cache,target=/c,id=x,sharing=locked,mode=0700,uid=5"
        " --mount=type=secret,id=s,required --mount=type=secret,id=t,env=T"
        " --mount=type=tmpfs,target=/t,size=64m true"
    )
    step = work(body)
    assert isinstance(step, RunStep)
    assert step.network == "none"
    assert step.mounts == (
        RunMount(type="bind", target="/ctx"),
        RunMount(type="bind", target="/b", source="a", origin="stage:0", read_only=True),
        RunMount(type="cache", target="/c", id="x", sharing="locked", mode=0o700, uid=5),
        RunMount(type="secret", target="/run/secrets/s", id="s", required=True),
        RunMount(type="secret", target="", id="t", env="T"),
        RunMount(type="tmpfs", target="/t", size=64 << 20),
    )
