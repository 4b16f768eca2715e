"""Split a command as a shell would, without running one."""

OPERATORS = frozenset(";&|<>")


class UnclosedQuote(ValueError):
    """A command has a quote or a backslash that nothing closes."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid command line string: {text}")


def split(text: str) -> list[str]:
    """Give the words of a command; what comes after an operator of the shell is left out.

    Raises `UnclosedQuote`.
    """
    words: list[str] = []
    word = ""
    begun = False
    quote = ""
    escaped = False
    for letter in text:
        if escaped:
            word += letter
            escaped = False
        elif letter == "\\":
            if quote == "'":
                word += letter
            else:
                escaped = begun = True
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "'\"":
            quote = letter
            begun = True
        elif letter.isspace():
            if begun:
                words.append(word)
            word, begun = "", False
        elif letter in OPERATORS:
            break
        else:
            word += letter
            begun = True
    if quote or escaped:
        raise UnclosedQuote(text)
    return [*words, word] if begun else words
