"""A row of a list, as templates see it."""

from collections.abc import Callable, Mapping
from typing import Any


class TemplateRow(dict[str, Any]):
    """The fields of a row, and the functions that templates call with arguments: ``{{.Label "name"}}``."""

    def __init__(
        self, fields: Mapping[str, object], functions: Mapping[str, Callable[..., object]]
    ) -> None:
        super().__init__(fields)
        self.functions = functions
