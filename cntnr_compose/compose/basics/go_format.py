"""Format values as text the way Go's ``%v`` does, as for a label of ``1.50`` or ``1e6``."""

from typing import Any

# Powers of ten of the first digit that are written without an exponent: from, and below.
MIN_PLAIN_POWER, END_PLAIN_POWER = -4, 6


def format_value(value: Any) -> str:
    """Format a value as ``%v`` does."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, float):
        return format_float(value)
    if isinstance(value, list):
        return f"[{' '.join(map(format_value, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{format_value(value[key])}' for key in sorted(value))}]"
    return str(value)


def format_float(value: float) -> str:
    """Format a float as ``%v`` does: the shortest form, with an exponent from 1e+06 on."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, power = _split_float(value)
    if power < MIN_PLAIN_POWER or power >= END_PLAIN_POWER:
        mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
        return f"{sign}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _split_float(value: float) -> tuple[str, str, int]:
    """Return sign, significant digits, and the power of ten of the first digit."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(digits) if digits else 0
    power = int(exponent or 0) + len(whole) - 1 - leading_zeros
    sign = "-" if value < 0 or str(value).startswith("-") else ""
    return sign, digits.rstrip("0") or "0", power if digits else 0
