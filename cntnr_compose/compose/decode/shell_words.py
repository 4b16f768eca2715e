"""Split a command line into words as docker compose does, which is nearly as a shell would."""

SPACES = frozenset(" \t\r\n")
OPERATORS = frozenset(";&|<>")


class InvalidCommandLine(ValueError):
    """A command line has an unclosed quote or bracket, or ends with a backslash."""

    def __init__(self) -> None:
        super().__init__("invalid command line string")


def split_command(text: str) -> list[str]:
    """Split a command line into words; all after an operator of the shell is dropped.

    Raises `InvalidCommandLine`.
    """
    return _Splitter().split(text)


class _Splitter:
    def __init__(self) -> None:
        self._words: list[str] = []
        self._letters: list[str] = []  # of the current word
        self._in_word = False
        self._quote = ""  # "'" or '"', where one is open
        self._substitution = ""  # "`", or "(" for "$(", where one is open
        self._escaped = False

    def split(self, text: str) -> list[str]:
        for letter in text:
            if self._escaped:
                self._add(letter)
                self._escaped = False
            elif letter == "\\":
                if self._quote == "'":
                    self._letters.append(letter)
                else:
                    self._escaped = True
            elif letter in SPACES:
                self._add_space(letter)
            elif letter in "'\"":
                self._add_quote(letter)
            elif letter in "`()":
                self._add_substitution(letter)
            elif letter in OPERATORS and not self._quote and not self._substitution:
                if letter == ">" and "".join(self._letters[:1]).isdecimal():
                    self._in_word = False  # a redirected stream, as in 2>
                break
            else:
                self._add(letter)
        if self._quote or self._substitution or self._escaped:
            raise InvalidCommandLine
        return [*self._words, "".join(self._letters)] if self._in_word else self._words

    def _add(self, letter: str) -> None:
        self._letters.append(letter)
        self._in_word = True

    def _add_space(self, letter: str) -> None:
        if self._quote or self._substitution:
            self._letters.append(letter)
        elif self._in_word:
            self._words.append("".join(self._letters))
            self._letters, self._in_word = [], False

    def _add_quote(self, letter: str) -> None:
        if self._substitution == "(" or self._quote not in ("", letter):
            self._add(letter)
        elif self._quote:
            self._quote, self._in_word = "", True
        else:
            self._quote = letter

    def _add_substitution(self, letter: str) -> None:
        """Keep a command substitution as written, in one word."""
        other = "(" if letter == "`" else "`"
        if not self._quote and self._substitution != other:
            if letter == "(" and (self._substitution or self._letters[-1:] != ["$"]):
                raise InvalidCommandLine
            opens = "`" if letter == "`" else "("
            self._substitution = "" if self._substitution and letter != "(" else opens
        self._add(letter)
