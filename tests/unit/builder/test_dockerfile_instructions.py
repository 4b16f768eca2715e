"""How instructions change a stage, and which steps they need."""

import pytest

from cntnr_compose.builder.dockerfile import instructions, stages
from cntnr_compose.builder.dockerfile.instructions import StageSettings
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid, parse_dockerfile
from cntnr_compose.builder.dockerfile.run import NO_DEVICES, NOT_INSECURE
from cntnr_compose.builder.dockerfile.steps import (
    BuildStep,
    FolderStep,
)
from cntnr_compose.model.image import ImageConfig

ONE_ONLY = "but only one was provided. Destination could not be determined"
NO_VARIABLES = "define a new stage with FROM using ARG from global scope as a workaround"
MANY = "the destination must be a directory and end with a /"
BASE = ImageConfig(
    env=("PATH=/bin",), cmd=("old",), entrypoint=("init",), user="u", on_build=("RUN x",),
    labels={"a": "1"}, exposed_ports={"80/tcp": {}},
)  # fmt: skip


def apply_body(
    body: str, *, base: ImageConfig = BASE, **more: object
) -> tuple[StageSettings, list[BuildStep]]:
    """Apply the instructions of the last stage; return its settings and steps."""
    scope = stages.split_stages(
        parse_dockerfile(f"ARG G=global\nFROM base AS first\nFROM base\n{body}"), **more
    )  # type: ignore[arg-type]
    stage = scope.stages[-1]
    state, works = instructions.initial_settings(base), []
    for instruction in stage.instructions:
        state, work = instructions.apply_instruction(state, instruction, stage, scope)
        works += [work] if work else []
    return state, works


def config(body: str, **more: object) -> ImageConfig:
    return apply_body(body, **more)[0].config


def work(body: str, **more: object) -> BuildStep:
    (step,) = apply_body(body, **more)[1]
    return step


def failure(body: str) -> str:
    with pytest.raises(DockerfileInvalid) as caught:
        apply_body(body)
    return str(caught.value).removeprefix("Dockerfile:4: ")


def test_a_stage_begins_with_the_configuration_of_its_base_but_its_triggers() -> None:
    assert config("") == ImageConfig(
        env=("PATH=/bin",), cmd=("old",), entrypoint=("init",), user="u", labels={"a": "1"},
        exposed_ports={"80/tcp": {}},
    )  # fmt: skip
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert instructions.initial_settings(None).config == ImageConfig(env=(path,), working_dir="/")


def test_env_sees_the_values_before_it_and_keeps_its_order() -> None:
    body = "ENV a=1 b='x y'\nENV a=2 c=$a$b d=\"$a\"\nENV e f  $a\nENV PATH=/opt:$PATH"
    assert config(body).env == ("PATH=/opt:/bin", "a=2", "b=x y", "c=1x y", "d=1", "e=f  2")


def test_arguments_are_seen_by_what_follows() -> None:
    body = "ARG G\nARG H=h$G I J=$H-$G\nARG PATH=no\nLABEL l=$G,$H,$I,$J,$PATH,$K"
    assert (
        config(body, args={"I": "i", "K": "k"}).labels["l"] == "global,hglobal,i,hglobal-global,no,"
    )
    assert config(body, args={"H": "x", "G": "g"}).labels["l"] == "g,x,,x-g,no,"


def test_labels_are_added_to_those_of_the_base() -> None:
    assert config("LABEL \"b c\"='d e' a=2").labels == {"a": "2", "b c": "d e"}


def test_commands_are_words_or_for_the_shell_of_the_stage() -> None:
    assert config("CMD a $b").cmd == ("/bin/sh", "-c", "a $b")
    assert config('CMD ["a", "$b"]').cmd == ("a", "$b")
    changed = config('SHELL ["/bin/bash", "-ec"]\nCMD a')
    assert (changed.cmd, changed.shell) == (("/bin/bash", "-ec", "a"), ("/bin/bash", "-ec"))


def test_an_entrypoint_takes_the_command_of_the_base_away_but_not_our_own() -> None:
    assert config('ENTRYPOINT ["x"]').cmd is None
    assert config('CMD ["y"]\nENTRYPOINT ["x"]').cmd == ("y",)
    assert config("ENTRYPOINT x").entrypoint == ("/bin/sh", "-c", "x")


def test_working_directories_are_made_and_add_up() -> None:
    state, works = apply_body("USER me\nWORKDIR /a/../b\nENV d=c\nWORKDIR ${d}/e/\nWORKDIR /")
    assert works == [FolderStep(path="/b", user="me"), FolderStep(path="/b/c/e", user="me")]
    assert state.config.working_dir == "/"


def test_ports_volumes_user_signal() -> None:
    image = config('EXPOSE 81-82/UDP 9000\nVOLUME /a $x/b\nVOLUME ["/c d"]\nUSER $U:0\nSTOPSIGNAL SIG$U',
                   base=ImageConfig(env=("U=INT", "x=/x")))  # fmt: skip
    assert list(image.exposed_ports or {}) == ["81/udp", "82/udp", "9000/tcp"]
    assert list(image.volumes or {}) == ["/a", "/x/b", "/c d"]
    assert (image.user, image.stop_signal) == ("INT:0", "SIGINT")


def test_ports_may_name_a_port_of_the_host_and_lists_may_be_reset() -> None:
    image = config("EXPOSE 8080:80 127.0.0.1:1:2/UDP [::1]:5-6:7-8 0\nENTRYPOINT []\nCMD []")
    assert list(image.exposed_ports or {}) == ["80/tcp", "0/tcp", "2/udp", "7/tcp", "8/tcp"]
    assert (image.entrypoint, image.cmd) == (None, ())


def test_triggers_are_kept_for_builds_upon_the_image() -> None:
    assert config("ONBUILD COPY --from=x a b\nONBUILD RUN c").on_build == (
        "COPY --from=x a b",
        "RUN c",
    )
    assert config("ONBUILD RUN <<E\na\nE").on_build == ("RUN <<E\na\nE",)
    scope = stages.split_stages(parse_dockerfile("FROM base"))
    triggers = instructions.onbuild_instructions(
        ImageConfig(on_build=("COPY --chown=1 a b", "RUN c")), scope, 1
    )
    assert [(one.keyword, one.flags, one.text) for one in triggers] == [
        ("COPY", (("chown", "1"),), "a b"), ("RUN", (), "c"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("COPY --foo a b", "unknown flag: --foo"),
        ("COPY a", f"COPY requires at least two arguments, {ONE_ONLY}"),
        ("COPY a <<E\nE", "COPY cannot accept a heredoc as a destination"),
        ("COPY https://x.test/y c", "source can't be a URL for COPY: https://x.test/y; ADD takes one"),
        ("COPY https://x.test/y.git c",
         "source can't be a git ref for COPY: https://x.test/y.git; ADD takes one"),
        ("ADD ftp://x.test/y c", "cannot add ftp://x.test/y: only http, https and git are supported"),
        ("ADD https://x.test/y.git?a=b c", 'https://x.test/y.git?a=b: unexpected query "a"'),
        ("ADD --checksum=sha256:1 https://x.test/y c",
         "invalid checksum digest format: sha256:1, it is sha256:HEX"),
        ("ADD --checksum=sha256:1 a b", "checksum requires HTTP(S) or Git sources"),
        ("ADD --checksum=x https://x.test/y.git b", 'invalid checksum "x", expected hex commit hash'),
        ("ADD --keep-git-dir=false https://x.test/y.git?keep-git-dir=1 b",
         "inconsistent keep-git-dir configuration"),
        ("COPY --from=$x a b", f"variable expansion is not supported for --from, {NO_VARIABLES}"),
        ("COPY a b c", f"When using COPY with more than one source file, {MANY}"),
        ("COPY --chmod=u+q a b",
         "invalid chmod parameter: 'u+q'. it should be an octal number, or like u=rwX,go=rX"),
        ("COPY --chmod=99 a b",
         "invalid chmod parameter: '99'. it should be octal string and between 0 and 07777"),
        ("ENV a", "ENV must have two arguments"),
        ("ENV a=1 b", 'Syntax error - can\'t find = in "b". Must be of the form: name=value'),
        ("ENV =1", "ENV names can not be blank"),
        ("ENV a='b", "a='b: unexpected end of statement: a ' has no end"),
        ("EXPOSE 70000", "invalid containerPort: 70000"),
        ("EXPOSE 80/icmp", "invalid proto: icmp"),
        ("SHELL []", "SHELL requires at least one argument"),
        ("STOPSIGNAL SIGNONE", "invalid signal: SIGNONE"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("SHELL bash", "SHELL requires the arguments to be in JSON form"),
        ("USER $nobody", "USER $nobody is blank"),
        ("VOLUME $nothing", "VOLUME specified can not be an empty string"),
        ("ONBUILD FROM a", "FROM isn't allowed as an ONBUILD trigger"),
        ("HEALTHCHECK curl", 'unknown type "curl" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK CMD", "missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK --interval=5 CMD x", '--interval: time: invalid duration "5"'),
        ("HEALTHCHECK --timeout=5us CMD x", "--timeout cannot be less than 1ms"),
        ("HEALTHCHECK --retries=x CMD x", "--retries must be a number, not x"),
        ("RUN --network=mars x", 'unsupported network mode "mars"'),
        ("RUN --security=insecure x", NOT_INSECURE),
        ("RUN --security=odd x", 'security "odd" is not valid'),
        ("RUN --device=a x", NO_DEVICES),
        ("RUN --mount=type=bnd x", 'unsupported mount type "bnd" (did you mean bind?)'),
        ("RUN --mount=type=ssh,env=X x", "unexpected key 'env' for mount type 'ssh'"),
        ("RUN --mount=type=cache x", 'invalid mount target "/"'),
        ("RUN --mount=type=secret x", "invalid secret mount. one of source, target required"),
        ("RUN --mount=type=secret,id=a,src=b x", "both source and id can't be set"),
        ("RUN --mount=from=$a,target=/b x",
         "'from' doesn't support variable expansion, define alias stage instead"),
        ("RUN --mount=target x", "invalid field 'target' must be a key=value pair"),
        ("RUN --mount=target=/a,speed=9 x", "unexpected key 'speed' in 'speed=9'"),
        ("RUN --mount=type=cache,target=/a,sharing=odd x", 'unsupported sharing value "odd"'),
        ("RUN --mount=target=/a,rw=maybe x", "invalid value for readwrite: maybe"),
        ("RUN --mount=type=cache,target=/a,mode=9 x", "invalid value 9 for mode"),
        ("RUN --mount=type=tmpfs,target=/a,size=9z x", "invalid value for size: 9z"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_file_and_line(body: str, message: str) -> None:
    assert failure(body) == message
