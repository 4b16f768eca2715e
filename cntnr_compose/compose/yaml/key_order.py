"""The order in which go-yaml writes the keys of mappings: numbers by value, ``s2`` before ``s10``."""

from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any


def sort_keys(keys: Iterable[str]) -> list[str]:
    """Sort keys as go-yaml does."""
    return sorted(keys, key=cmp_to_key(_compare))


def sort_keys_deep(value: Any) -> Any:
    """Return a copy of a tree with the keys of all mappings sorted."""
    if isinstance(value, dict):
        return {key: sort_keys_deep(value[key]) for key in sort_keys(value)}
    return [sort_keys_deep(item) for item in value] if isinstance(value, list) else value


def _compare(left: str, right: str) -> int:
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return -1 if _is_less(left, right, at) else 1
    return len(left) - len(right)


def _is_less(left: str, right: str, at: int) -> bool:
    """Compare two keys that are equal before a place and differ there."""
    a, b = left[at], right[at]
    if a.isalpha() and b.isalpha():
        return a < b
    if a.isalpha() or b.isalpha():
        # After a digit a letter ends the number, and comes first; elsewhere it comes last.
        is_after_digit = at > 0 and left[at - 1].isdecimal()
        return a.isalpha() if is_after_digit else b.isalpha()
    in_number = "0" in (a, b) and _has_number_before(left, at)
    digits, other_digits = _digits(left, at), _digits(right, at)
    number, other_number = (
        int(f"{in_number:d}{digits}" or 0),
        int(f"{in_number:d}{other_digits}" or 0),
    )
    if number != other_number:
        return number < other_number
    return len(digits) < len(other_digits) if len(digits) != len(other_digits) else a < b


def _has_number_before(word: str, at: int) -> bool:
    """Return whether the digits before a place are more than zeros."""
    start = at
    while start > 0 and word[start - 1].isdecimal():
        start -= 1
    return bool(word[start:at].strip("0"))


def _digits(word: str, at: int) -> str:
    end = at
    while end < len(word) and word[end].isdecimal():
        end += 1
    return word[at:end]
