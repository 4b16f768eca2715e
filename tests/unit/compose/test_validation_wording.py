"""Schema errors in words for people: what is allowed, what stands there, what is similar."""

import pytest
import yaml

from cntnr_compose.compose.validation.schema import check_schema


def errors(text: str) -> list[str]:
    return sorted(str(one) for one in check_schema(yaml.safe_load(text)))


def service(text: str) -> list[str]:
    return [line.removeprefix("services.a") for line in errors(f"services: {{a: {{{text}}}}}")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("imag: x", ".imag: additional properties 'imag' not allowed (did you mean \"image\"?)"),
        ("DNS: x", ".DNS: additional properties 'DNS' not allowed (did you mean \"dns\"?)"),
        ("zzz: x", ".zzz: additional properties 'zzz' not allowed"),
        (
            "dockerfile: x",
            ".dockerfile: additional properties 'dockerfile' not allowed (it belongs under build)",
        ),
        (
            "umask: 7",
            ".umask: additional properties 'umask' not allowed (newer than docker compose 2.40.3",
        ),
        ("ports: x", ".ports: must be a list, not the string 'x'"),
        ("ports: [true]", ".ports.0: must be a mapping, number or string, not true"),
        ("ports: [{target: []}]", ".ports.0.target: must be a integer or string, not a list"),
        (
            "ports: [{tarjet: 1}]",
            ".ports.0.tarjet: additional properties 'tarjet' not allowed (did",
        ),
        ("environment: x", ".environment: must be a list or mapping, not the string 'x'"),
        (
            "environment: {A: [1]}",
            ".environment.A: must be a boolean, null, number or string, not a list",
        ),
        ("expose: [1, 2, 1.0]", ".expose: items at 0 and 2 are equal"),
        ("provider: {}", ".provider: missing property 'type'"),
        ("container_name: c", ".container_name: 'c' does not match pattern '[a-zA-Z0-9]"),
        ("oom_score_adj: 2000", ".oom_score_adj: must be less than or equal to 1000, not 2000"),
        ("cpu_count: -1", ".cpu_count: must be greater than or equal to 0, not -1"),
        (
            "healthcheck: {timeout: 2001-01-01}",
            ".healthcheck.timeout: invalid jsonType time.Time: a date stands here (put it in quotes)",
        ),
        (
            "depends_on: {b: {condition: service_helthy}}",
            (
                ".depends_on.b.condition: value must be one of 'service_started', 'service_healthy', "
                "'service_completed_successfully', not the string 'service_helthy' "
                '(did you mean "service_healthy"?)'
            ),
        ),
        ("ulimits: {nofile: {soft: 1}}", ".ulimits.nofile: missing property 'hard'"),
        (
            "ulimits: {nofile: x, hard: }",
            ".ulimits.hard: must be a integer, mapping or string, not",
        ),
    ],
)
def test_an_error_names_what_is_allowed_and_what_stands_there(text: str, expected: str) -> None:
    (line,) = service(text)
    assert line.startswith(expected)


def test_an_invalid_name_is_reported_with_the_letters_that_are_allowed() -> None:
    assert errors("services: {a b: {image: x}}") == [
        (
            "services.a b: additional properties 'a b' not allowed "
            "(a name is made of letters, digits, '.', '_' and '-')"
        )
    ]


def test_long_text_is_cut() -> None:
    (line,) = service(f"ports: {'y' * 500}")
    assert len(line) < 100
