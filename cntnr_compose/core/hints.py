"""The words of `typing` for annotations, without its import, which is a tenth of a small `config`.

Only type checkers read such annotations, and they see the real words. Where msgspec reads them, in the
fields of a `values.Value`, the real ones are needed at run time.
"""

__all__ = ["TYPE_CHECKING", "Any", "NoReturn", "Self", "TypeAlias", "dataclass_transform"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Self, TypeAlias, dataclass_transform
else:
    Any = NoReturn = Self = TypeAlias = object

    def dataclass_transform(**_: object) -> object:
        """Leave a class as it is."""
        return lambda kind: kind
