"""What costs nothing to import: plain trees, and frozen values that only this process sees."""

from typing import Any, ClassVar, Self, TypeAlias, dataclass_transform

Tree: TypeAlias = dict[str, Any]
Seconds: TypeAlias = float
Bytes: TypeAlias = int


class Misused(TypeError):
    """A value was made or changed as its class does not allow; that is a bug."""

    def __init__(self, kind: type, names: list[str]) -> None:
        super().__init__(f"{kind.__name__}: {', '.join(names)}")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Frozen:
    """The base of frozen values that never become JSON.

    It is slower than `values.Value` where values are made and compared, but needs no msgspec, whose
    import is a fifth of what `config` of a small file takes.
    """

    _names: "ClassVar[tuple[str, ...]]" = ()

    def __init_subclass__(cls) -> None:
        """Take the annotated names; what they are set to is their default."""
        cls._names = tuple(cls.__annotations__)

    def __init__(self, **given: Any) -> None:
        """Take the values; those with a default may be left out."""
        kind = type(self)
        odd = [one for one in given if one not in self._names]
        odd += [one for one in self._names if one not in given and not hasattr(kind, one)]
        if odd:
            raise Misused(kind, odd)
        vars(self).update(given)

    def replace(self, **changes: Any) -> Self:
        """Give a value that is the same but for the changes."""
        return type(self)(**({name: getattr(self, name) for name in self._names} | changes))

    def __setattr__(self, name: str, _value: object) -> None:
        raise Misused(type(self), [name])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__name__}({said})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._names)
