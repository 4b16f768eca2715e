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
    base, env = ImageConfig(env=("PATH=/bin",)), ("PATH=/bin",)
    assert work("RUN <<EOF\na\nb\nEOF", base=base) == RunStep(
        argv=("/bin/sh", "-c", "a\nb\n"), env=env
    )
    assert work("RUN <<EOF\n#!/usr/bin/env python3\nEOF", base=base) == RunStep(
        argv=(), script="#!/usr/bin/env python3\n", env=env
    )
    assert work("RUN cat <<A >x && cat <<B\n1\nA\n2\nB", base=base) == RunStep(
        argv=("/bin/sh", "-c", "cat <<A >x && cat <<B\n1\nA\n2\nB\n"), env=env
    )


def test_an_image_without_a_path_gets_one() -> None:
    step = work("RUN x", base=ImageConfig())
    assert isinstance(step, RunStep)
    assert step.env[0].startswith("PATH=/usr/local/sbin:")


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


def test_mounts_have_their_variables_expanded_and_start_from_the_working_directory() -> None:
    body = (
        "ARG T=c/d I\nENV E=e\nWORKDIR /w\n"
        "RUN --mount=type=cache,target=$T,id=x-$E$I,from=first,source=/s,ro --mount=type=bind,src=a"
        " --mount=type=secret,src=dir/s,target=t --mount=type=ssh,uid=7 true"
    )
    step = apply_body(body)[1][1]
    assert isinstance(step, RunStep)
    assert step.mounts == (
        RunMount(
            type="cache", target="/w/c/d", id="x-e", origin="stage:0", source="s", read_only=True
        ),
        RunMount(type="bind", target="/w", source="a", read_only=True),
        RunMount(type="secret", target="/w/t", id="dir/s"),
        RunMount(type="ssh", target="", id="default", uid=7),
    )


def test_the_later_of_arg_and_env_is_seen() -> None:
    body = "ARG A=1 B=1\nENV A=2\nARG A=3\nENV B=2\nRUN x"
    state, (step,) = apply_body(body)
    assert isinstance(step, RunStep)
    assert dict(word.split("=") for word in step.env) == {"A": "3", "B": "2", "PATH": "/bin"}
    assert state.config.env == ("PATH=/bin", "A=2", "B=2")
