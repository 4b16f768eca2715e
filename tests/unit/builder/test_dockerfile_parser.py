"""Dockerfile text to instructions."""

import pytest

from cntnr_compose.builder.dockerfile.parser import (
    NOT_STRINGS,
    DockerfileInvalid,
    Heredoc,
    Instruction,
    parse_dockerfile,
    parse_instruction,
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
            'CMD ["a", "b c"]\nCMD [ a ]\nCMD ["a"] b\nCMD []\nENV ["a"]'
        ).instructions
    ]
    assert words == [("a", "b c"), None, None, (), None]


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
        ("FROM a\n\nENV", "web.Dockerfile:3: ENV requires at least one argument"),
        ("FROM a\nRUN \0", "web.Dockerfile:2: there is a NUL character"),
        ("FROM a\nUSER", "web.Dockerfile:2: USER requires exactly one argument"),
        ("# escape=x\n", "web.Dockerfile:1: invalid escape token 'x' does not match ` or \\"),
        (
            "# escape=`\n# ESCAPE=`\n",
            "web.Dockerfile:2: only one escape parser directive can be used",
        ),
        (
            "# syntax=other/x:1\n",
            "web.Dockerfile:1: the syntax other/x:1 is not supported: only docker/dockerfile is",
        ),
        ("\n# nothing\n", "web.Dockerfile:1: file with no instructions: the Dockerfile is empty"),
        ('CMD ["a", 1]', f"web.Dockerfile:1: {NOT_STRINGS}"),
        ("COPY --fron=x a b", "web.Dockerfile:1: unknown flag: --fron (did you mean from?)"),
        ("COPY --chown a b", "web.Dockerfile:1: missing a value on flag: chown"),
        ("COPY --from=a --from=b a b", "web.Dockerfile:1: duplicate flag specified: from"),
        (
            "COPY --link=maybe a b",
            "web.Dockerfile:1: expecting boolean value for flag link, not: maybe",
        ),
        ("FROM a\nRUN <<E\nb", "web.Dockerfile:2: unterminated heredoc: no line E follows"),
    ],
)
def test_mistakes_are_told_with_file_and_line(text: str, message: str) -> None:
    assert failure(text, "web.Dockerfile") == message


def test_an_escape_that_is_escaped_ends_the_line() -> None:
    assert read("RUN a \\\\\nRUN b") == [(1, "RUN", "a \\\\"), (2, "RUN", "b")]


def test_flags_may_be_quoted_and_end_at_two_dashes() -> None:
    run, command = parse_dockerfile(
        "RUN --mount='type=bind,target=/a b' -- --c d\ncmd a --b"
    ).instructions
    assert (run.flags, run.text) == ((("mount", "type=bind,target=/a b"),), "--c d")
    assert (command.keyword, command.text) == ("CMD", "a --b")


def test_comments_before_an_instruction_belong_to_it() -> None:
    first, second = parse_dockerfile("# a\n#\n# b\n# c\nFROM x\n# d\n\nRUN y").instructions
    assert (first.comments, second.comments) == (("b", "c"), ())


def test_a_heredoc_may_have_a_blank_before_its_name_and_quotes_in_it() -> None:
    text = 'RUN cat << EOF 3<<-"a b"\nx\nEOF\n\ty\na b\nRUN echo $(( 1 << 2 ))'
    run, shift = parse_dockerfile(text).instructions
    assert run.heredocs == (
        Heredoc(name="EOF", content="x\n"),
        Heredoc(name="a b", content="y\n", literal=True),
    )
    assert shift.heredocs == ()
    (tabbed,) = parse_dockerfile("ONBUILD\tRUN\t<<EOF\nx\nEOF").instructions
    assert tabbed.trigger == "RUN\t<<EOF\nx\nEOF"


def test_a_trigger_is_parsed_with_its_heredocs() -> None:
    trigger = parse_instruction("RUN <<E\na\nE", "Dockerfile", 7)
    assert (trigger.line, trigger.heredocs) == (7, (Heredoc(name="E", content="a\n"),))
    with pytest.raises(DockerfileInvalid, match="single expression"):
        parse_instruction("RUN a\nRUN b", "Dockerfile", 7)
