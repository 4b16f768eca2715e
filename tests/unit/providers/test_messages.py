"""Messages of a provider are parsed strictly, and bounded."""

import pytest

from cntnr_compose.providers.errors import ResponseInvalid, ResponseTooLarge
from cntnr_compose.providers.messages import (
    MAX_LINE_SIZE,
    MAX_VARIABLES_SIZE,
    Message,
    ProvidedVariables,
    VariableCollector,
    parse_message,
)


def test_a_message_is_a_json_object() -> None:
    assert parse_message("db", b'{"type": "info", "message": "m", "x": 1}') == Message(
        type="info", message="m"
    )
    assert parse_message("db", b'{"type": "info"}').message == ""


@pytest.mark.parametrize(
    "line", [b"oops", b"[]", b"{}", b'{"type": 1}', b"\xff", b'{"type":"a"} x']
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ResponseInvalid, match=r"^service db: invalid response from plugin: "):
        parse_message("db", line)


def test_a_message_is_shown_as_one_short_line() -> None:
    text = Message(type="info", message="one\n\x1b[31mtwo\t" + "x" * 1000).text
    assert text.startswith("one [31mtwo xxx")
    assert len(text) == 500


def test_a_message_has_a_longest_length() -> None:
    with pytest.raises(ResponseTooLarge, match="longer than 1 MiB"):
        parse_message("db", b"x" * (MAX_LINE_SIZE + 1))


def collect(*messages: tuple[str, str]) -> ProvidedVariables:
    collector = VariableCollector("db")
    for kind, message in messages:
        collector.add(Message(type=kind, message=message))
    return collector.variables


def test_variables_are_named_by_the_service_unless_they_are_raw() -> None:
    variables = collect(("setenv", "URL=a=b"), ("setenv", "EMPTY="), ("rawsetenv", "KEY=k"))
    assert variables.named("my-db") == {"MY-DB_URL": "a=b", "MY-DB_EMPTY": "", "KEY": "k"}


@pytest.mark.parametrize("text", ["", "name", "=value", "A=\0"])
def test_a_variable_has_a_name_and_a_value(text: str) -> None:
    with pytest.raises(ResponseInvalid):
        collect(("setenv", text))


def test_variables_have_a_largest_size() -> None:
    value = "x" * (MAX_VARIABLES_SIZE // 2)
    with pytest.raises(ResponseTooLarge, match="too many variables"):
        collect(("setenv", f"A={value}"), ("rawsetenv", f"B={value}"))
