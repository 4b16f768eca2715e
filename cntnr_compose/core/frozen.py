"""Frozen values without msgspec, for paths where import time counts; and aliases for trees and units."""

TYPE_CHECKING = False  # not typing's, whose import takes longer than ours
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, TypeAlias, dataclass_transform

    Tree: TypeAlias = dict[str, Any]
else:
    Tree = dict

    def dataclass_transform(**_: object) -> object:
        """Stand in for typing's, which only tells type checkers something."""
        return lambda kind: kind


Seconds: "TypeAlias" = float
Bytes: "TypeAlias" = int


class Misused(TypeError):
    """A value was created with wrong fields, or changed; that is a bug."""

    def __init__(self, kind: type, names: list[str]) -> None:
        super().__init__(f"{kind.__name__}: {', '.join(names)}")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Frozen:
    """Base of frozen values that never become JSON.

    Slower than `values.Value` to create and compare, but without msgspec, whose import is a fifth of the
    time of `config` for a small file.
    """

    _names: "ClassVar[tuple[str, ...]]" = ()

    def __init_subclass__(cls) -> None:
        """Collect the annotated names; values assigned in the class are defaults."""
        cls._names = (*cls._names, *cls.__annotations__)

    def __init__(self, **values: "Any") -> None:
        """Set the fields; those with a default may be left out."""
        kind = type(self)
        wrong = [name for name in values if name not in self._names]
        wrong += [one for one in self._names if one not in values and not hasattr(kind, one)]
        if wrong:
            raise Misused(kind, wrong)
        vars(self).update(values)

    def replace(self, **changes: "Any") -> "Self":
        """Return a copy with some fields changed."""
        return type(self)(**({name: getattr(self, name) for name in self._names} | changes))

    def __setattr__(self, name: str, _value: object) -> None:
        raise Misused(type(self), [name])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__name__}({fields})"

    def _values(self) -> "tuple[Any, ...]":
        return tuple(getattr(self, name) for name in self._names)
