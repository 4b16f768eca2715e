"""What a check finds, and what a Dockerfile says about its checks: ``# check=skip=RULE;error=true``."""

import re
from difflib import get_close_matches

from cntnr_compose.builder.dockerfile.lint.rules import EXPERIMENTAL
from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.core.values import Value

RULE_URL = "https://docs.docker.com/go/dockerfile/rule"


class Finding(Value, frozen=True, kw_only=True):
    """A rule that a Dockerfile breaks; ``line`` is that of the instruction."""

    rule: str
    line: int
    text: str

    @property
    def url(self) -> str:
        """Return the page about the rule: ``JSONArgsRecommended`` is ``json-args-recommended``."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", self.rule).lower()
        return f"{RULE_URL}/{words}/"


class CheckOptionInvalid(ValueError):
    """A ``check`` directive has an option that there is not."""


class CheckSettings(Value, frozen=True, kw_only=True):
    """Which rules are checked, and whether a build fails where one is broken; rules in lower case."""

    skip: tuple[str, ...] = ()
    experimental: tuple[str, ...] = ()
    is_error: bool = False

    def checks(self, rule: str) -> bool:
        """Return whether a rule is checked."""
        chosen = self.experimental if rule in EXPERIMENTAL else self.skip
        is_named = "all" in chosen or rule.lower() in chosen
        return is_named if rule in EXPERIMENTAL else not is_named


def parse_check_settings(text: str) -> CheckSettings:
    """Read ``skip=RULE,RULE;error=true;experimental=all``. Raises `CheckOptionInvalid`."""
    settings: dict[str, tuple[str, ...]] = {}
    is_error = False
    for option in filter(str.strip, text.split(";")):
        name, equals, value = option.strip().partition("=")
        name = name.strip().lower()
        if name in ("skip", "experimental") and equals:
            settings[name] = tuple(rule.strip().lower() for rule in value.split(","))
        elif name == "error" and equals:
            try:
                is_error = parse_bool(value.strip())
            except CannotCast:
                why = f'failed to parse check option "{option.strip()}"'
                raise CheckOptionInvalid(why) from None
        else:
            why = f'invalid check option "{name}": there are skip, error and experimental'
            raise CheckOptionInvalid(why)
    return CheckSettings(**settings, is_error=is_error)


def suggest(name: str, names: "list[str] | tuple[str, ...] | set[str]", sign: str = "") -> str:
    """Return `` (did you mean X?)``, or nothing."""
    close = get_close_matches(name, sorted(names), 1)
    return f" (did you mean {sign}{close[0]}?)" if close else ""
