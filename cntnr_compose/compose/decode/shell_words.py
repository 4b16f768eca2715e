"""Split a command into words as docker compose does, which is nearly as a shell would."""

SPACES = frozenset(" \t\r\n")
OPERATORS = frozenset(";&|<>")


class InvalidCommandLine(ValueError):
    """A command has a quote, a bracket or a backslash that nothing closes."""

    def __init__(self) -> None:
        super().__init__("invalid command line string")


def split_command(text: str) -> list[str]:
    """Give the words of a command; what comes after an operator of the shell is left out.

    Raises `InvalidCommandLine`.
    """
    return _Splitter().split(text)


class _Splitter:
    def __init__(self) -> None:
        self._words: list[str] = []
        self._word: list[str] = []  # its letters
        self._begun = False
        self._quote = ""  # ' or ", where one is open
        self._run = ""  # ` or ( for $(, where one is open
        self._escaped = False

    def split(self, text: str) -> list[str]:
        for letter in text:
            if self._escaped:
                self._put(letter)
                self._escaped = False
            elif letter == "\\":
                if self._quote == "'":
                    self._word.append(letter)
                else:
                    self._escaped = True
            elif letter in SPACES:
                self._space(letter)
            elif letter in "'\"":
                self._quoted(letter)
            elif letter in "`()":
                self._substitution(letter)
            elif letter in OPERATORS and not self._quote and not self._run:
                if letter == ">" and "".join(self._word[:1]).isdecimal():
                    self._begun = False  # the number of a redirected stream
                break
            else:
                self._put(letter)
        if self._quote or self._run or self._escaped:
            raise InvalidCommandLine
        return [*self._words, "".join(self._word)] if self._begun else self._words

    def _put(self, letter: str) -> None:
        self._word.append(letter)
        self._begun = True

    def _space(self, letter: str) -> None:
        if self._quote or self._run:
            self._word.append(letter)
        elif self._begun:
            self._words.append("".join(self._word))
            self._word, self._begun = [], False

    def _quoted(self, letter: str) -> None:
        if self._run == "(" or self._quote not in ("", letter):
            self._put(letter)
        elif self._quote:
            self._quote, self._begun = "", True
        else:
            self._quote = letter

    def _substitution(self, letter: str) -> None:
        """Keep what a shell would carry out in one word, and as it is."""
        other = "(" if letter == "`" else "`"
        if not self._quote and self._run != other:
            if letter == "(" and (self._run or self._word[-1:] != ["$"]):
                raise InvalidCommandLine
            opens = "`" if letter == "`" else "("
            self._run = "" if self._run and letter != "(" else opens
        self._put(letter)
