"""A name is seen at a glance, or nothing is said."""

import pytest

from cntnr_compose.cli.project.quick_name import name_in_text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("services:\n  web:\n    image: x\n", ""),
        ("name: shop\nservices: {}\n", "shop"),
        ("# don't\nname: shop-1  \r\nservices:\n", "shop-1"),
        ("services:\n  name:\n    image: x\n", ""),
        ("---\nname: shop\n", "shop"),
        ("--- # first\nname: shop\n", "shop"),
        ("services:\n  a:\n    command: 'x'\nname: shop\n", "shop"),
        ("x-text: |\n  name: other\nservices: {}\n", ""),
        ("x-a: don't\nservices: {}\n", ""),
    ],
)
def test_a_name_that_is_plain_is_seen(text: str, name: str) -> None:
    assert name_in_text(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "name: ${NAME}\n",
        "name: Shop\n",
        "name: 'shop'\n",
        "name: shop # ours\n",
        "name: -shop\n",
        "name : shop\n",
        "names: {}\n",
        "name: shop\nname: other\n",
        "name:\n  shop\n",
        "'name': shop\n",
        '"name": shop\n',
        "{name: shop}\n",
        "? name\n: shop\n",
        "<<: *base\n",
        "&a\nname: shop\n",
        "!x\nname: shop\n",
        "--- {name: shop}\n",
        "name: shop\n---\nname: other\n",
        "x-a: don't\nname: shop\n",
        'x-a: "begins\nname: shop\n"\n',
    ],
)
def test_what_is_not_sure_is_left_to_the_loader(text: str) -> None:
    assert name_in_text(text) is None
