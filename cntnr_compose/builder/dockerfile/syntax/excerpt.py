"""Show the lines around one of a Dockerfile, as docker does."""

RULER = f"{'-' * 20}\n"
CONTEXT_LINES = 2


def format_excerpt(text: str, line: int) -> str:
    """Format the lines around one of a text, with a mark at that."""
    lines = text.removeprefix("\ufeff").splitlines()
    shown = range(max(1, line - CONTEXT_LINES), min(len(lines), line + CONTEXT_LINES) + 1)
    rows = [f" {at:3} | {'>>>' if at == line else '   '} {lines[at - 1]}\n" for at in shown]
    return f"{RULER}{''.join(rows)}{RULER}"
