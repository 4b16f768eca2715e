"""Steps that are options of a command line become instructions; nothing in them is expanded again."""

import pytest

from cntnr_compose.builder.dockerfile.flag_steps import StepInvalid, to_instructions
from cntnr_compose.builder.dockerfile.instructions import apply_instruction, initial_settings
from cntnr_compose.builder.dockerfile.parser import Dockerfile
from cntnr_compose.builder.dockerfile.stages import split_stages
from cntnr_compose.builder.dockerfile.steps import BuildStep, CopyStep, RunStep
from cntnr_compose.model.image import ImageConfig

NASTY = "a $HOME ${X:?} \"q\" 'r' \\ * # \t`"


def applied(*steps: tuple[str, str]) -> tuple[ImageConfig, str, list[BuildStep]]:
    """Apply steps after ``--from scratch``: return configuration, author and steps to run."""
    instructions = to_instructions((("from", "scratch"), *steps))
    scope = split_stages(Dockerfile(name="step", instructions=instructions))
    settings, run = initial_settings(None), []
    for instruction in scope.stages[0].instructions:
        settings, step = apply_instruction(settings, instruction, scope.stages[0], scope)
        run += [step] if step else []
    return settings.config, settings.author, run


def test_values_are_taken_as_they_are() -> None:
    config, author, steps = applied(
        ("author", NASTY), ("env", f"A={NASTY}"), ("user", NASTY), ("workdir", f"/{NASTY}"), ("run", NASTY),
    )  # fmt: skip
    assert author == NASTY
    assert f"A={NASTY}" in config.env
    assert config.user == NASTY
    assert config.working_dir == f"/{NASTY}"
    assert isinstance(steps[-1], RunStep)
    assert steps[-1].argv == ("/bin/sh", "-c", NASTY.strip())


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("A=1", ["A=1"]),
        ("A=", ["A="]),
        ("A=1 B='two words'", ["A=1", "B=two words"]),
        ("A=two words", ["A=two words"]),
        ("A='x' y", ["A='x' y"]),
        ("A=b=c", ["A=b=c"]),
    ],
)
def test_env_takes_several_variables_or_one_with_blanks(text: str, env: list[str]) -> None:
    assert list(applied(("env", text))[0].env[1:]) == env


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("firefox", ("firefox",)),
        ("sh -c 'a b'", ("sh", "-c", "a b")),
        ('["a b", "$c"]', ("a b", "$c")),
        ("", ()),
    ],
)
def test_programs_are_words(text: str, words: tuple[str, ...]) -> None:
    config = applied(("cmd", text), ("entrypoint", text))[0]
    assert tuple(config.cmd or ()) == words
    assert tuple(config.entrypoint or ()) == words


def test_run_is_for_the_shell_or_a_list() -> None:
    _, _, steps = applied(("run", "a && b"), ("run", '["a", "b c"]'), ("run-sh", '["a"]'))
    argv = [step.argv for step in steps if isinstance(step, RunStep)]
    assert argv == [("/bin/sh", "-c", "a && b"), ("a", "b c"), ("/bin/sh", "-c", '["a"]')]


@pytest.mark.parametrize(
    ("text", "sources", "target", "owner"),
    [
        ("a", ("a",), "/", ""),
        ("a /b", ("a",), "/b", ""),
        ("a /b:1:2", ("a",), "/b", "1:2"),
        ("a /b:me", ("a",), "/b", "me"),
        ("'a b' c /d", ("a b", "c"), "/d/", ""),
        ("'$x' /$y", ("$x",), "/$y", ""),
    ],
)
def test_files_have_a_target_and_an_owner(
    text: str, sources: tuple[str, ...], target: str, owner: str
) -> None:
    _, _, steps = applied(("copy", text), ("add", text))
    for step in steps:
        assert isinstance(step, CopyStep)
        assert (step.sources, step.target, step.chown) == (sources, target, owner)
    assert [step.extract for step in steps if isinstance(step, CopyStep)] == [False, True]


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("from", "a b"), ("from", "$A"), ("from", ""), ("run", " "), ("run-sh", ""), ("add", ""),
        ("add", "'"), ("add", "a /b:"), ("add", "a /b:1:2:3"), ("copy", "a :1"), ("env", "A"),
        ("env", "=x"), ("cmd", "'"), ("author", " "), ("user", ""), ("workdir", ""),
    ],
)  # fmt: skip
def test_mistakes_name_the_option(option: str, text: str) -> None:
    with pytest.raises(StepInvalid, match=f"for --{option}: "):
        to_instructions([(option, text)])
