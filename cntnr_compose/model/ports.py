"""Parse ports and ranges of them. Imports nothing: `ps` shows ports before it has imported a library."""

TYPE_CHECKING = False  # not typing's, whose import takes longer than ours
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PORT = 65535
MAX_DIGITS = 100  # Python refuses to read thousands of them


def parse_port_range(text: str) -> tuple[int, int] | None:
    """Parse ``PORT`` or ``FIRST-LAST``; as docker, ignore more parts. Return None if it is neither."""
    first, *others = text.split("-")
    last = others[0] if others else first
    are_numbers = all(
        end.isascii() and end.isdecimal() and len(end) <= MAX_DIGITS for end in (first, last)
    )
    if not are_numbers or max(int(first), int(last)) > MAX_PORT:
        return None
    return (int(first), int(last)) if int(first) <= int(last) else None


def parse_exposed_ports(texts: "Iterable[str]") -> list[tuple[int, str]]:
    """Parse ``PORT[-PORT][/PROTOCOL]``; return each port with its protocol, once."""
    ports = []
    for text in texts:
        number, _, protocol = text.partition("/")
        first, last = parse_port_range(number) or (0, -1)
        ports += [(port, protocol or "tcp") for port in range(first, last + 1)]
    return list(dict.fromkeys(ports))
