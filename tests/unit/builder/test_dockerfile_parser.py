"""Dockerfile text to instructions."""

import pytest

from cntnr_compose.builder.dockerfile.parser import (
    DockerfileInvalid,
    Heredoc,
    Instruction,
    parse_dockerfile,
)


def read(text: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.keyword, one.text) for one in parse_dockerfile(text).instructions]


def failure(text: str, name: str = "Dockerfile") -> str:
    with pytest.raises(DockerfileInvalid) as caught:
        parse_dockerfile(text, name)
    return str(caught.value)


def test_an_instruction_knows_the_line_on_which_it_begins() -> None:
    text = "# one\n\nFROM a\n\n  run echo b \\\n  c\nCMD d\n"
    assert read(text) == [(3, "FROM", "a"), (5, "RUN", "echo b   c"), (7, "CMD", "d")]


def test_comments_and_empty_lines_within_an_instruction_are_passed_over() -> None:
    assert read("RUN a && \\\n# no\n\n  b") == [(1, "RUN", "a &&   b")]


def test_the_escape_directive_changes_how_lines_go_on() -> None:
    text = "# syntax=docker/dockerfile:1\n# escape=`\nRUN a `\n  b\nRUN c \\\nRUN d"
    assert read(text) == [(3, "RUN", "a   b"), (5, "RUN", "c \\"), (6, "RUN", "d")]
    assert parse_dockerfile(text).escape == "`"


def test_a_directive_behind_other_lines_is_a_comment() -> None:
    assert parse_dockerfile("FROM a\n# escape=`\n").escape == "\\"


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm() -> None:
    assert read("\ufeffFROM a\r\nRUN b \\\r\n c\r\n") == [(1, "FROM", "a"), (2, "RUN", "b  c")]


def test_the_exec_form_is_a_json_list_of_strings_and_all_else_is_for_a_shell() -> None:
    words = [
        instruction.words
        for instruction in parse_dockerfile(
            'CMD ["a", "b c"]\nCMD [ a ]\nCMD ["a", 1]\nENV ["a"]'
        ).instructions
    ]
    assert words == [("a", "b c"), None, None, None]


def test_flags_are_taken_off_the_text() -> None:
    instruction = parse_dockerfile(
        'COPY --from=x --chown="a:b" --link --exclude=*.md --exclude=q a b'
    ).instructions[0]
    assert instruction.text == "a b"
    assert instruction.flags == (
        ("from", "x"), ("chown", "a:b"), ("link", ""), ("exclude", "*.md"), ("exclude", "q"),
    )  # fmt: skip
    assert str(instruction) == "COPY --from=x --chown=a:b --link --exclude=*.md --exclude=q a b"


def test_heredocs_are_read_up_to_their_names() -> None:
    text = 'COPY <<A <<-"B" /to/\n$x\n\nA\n\tb\n\tB\nRUN c'
    copy, run = parse_dockerfile(text).instructions
    assert copy.heredocs == (
        Heredoc(name="A", content="$x\n\n"),
        Heredoc(name="B", content="b\n", literal=True),
    )
    assert run == Instruction(keyword="RUN", line=7, text="c")


@pytest.mark.parametrize(
    "text", ["RUN cat <<< word", "RUN echo 'a <<b c'", "RUN echo $((1<<2))", "ENV a <<b"]
)
def test_what_only_looks_like_a_heredoc_is_none(text: str) -> None:
    assert read(f"{text}\nCMD x")[1] == (2, "CMD", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM a\nRUNN b", "web.Dockerfile:2: unknown instruction: RUNN (did you mean RUN?)"),
        ("FROM a\nXYZZY b", "web.Dockerfile:2: unknown instruction: XYZZY"),
        ("FROM a\n\nENV", "web.Dockerfile:3: ENV needs something to follow it"),
        ("# escape=x\n", 'web.Dockerfile:1: escape must be \\ or `, not "x"'),
        ("\n# nothing\n", "web.Dockerfile:1: the Dockerfile is empty"),
        ("FROM a\nRUN <<E\nb", "web.Dockerfile:2: unterminated heredoc: no line E follows"),
    ],
)
def test_mistakes_are_told_with_file_and_line(text: str, message: str) -> None:
    assert failure(text, "web.Dockerfile") == message
