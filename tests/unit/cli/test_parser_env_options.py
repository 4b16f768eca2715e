"""Variables of `-e` have a value of their own, or that of the environment."""

from cntnr_compose.cli.parser.env_options import parse_variables


def test_a_name_alone_has_the_value_of_the_environment_or_is_left_out() -> None:
    texts = ["A=b=c", "OURS", "NOBODYS", "EMPTY="]
    assert parse_variables(texts, {"OURS": "x", "A": "y"}) == {"A": "b=c", "OURS": "x", "EMPTY": ""}
