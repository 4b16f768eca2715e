"""List the keys that the schema knows, and those that a decoder or a conversion looks up."""

from collections.abc import Callable, Iterator
from typing import Any

from cntnr_compose.compose.validation.schema import flatten_schema, read_docker_schema

SCHEMA = flatten_schema(read_docker_schema())
SERVICE = "services.*."


def forms_of(node: Any) -> Iterator[dict[str, Any]]:
    """Resolve a piece of the schema to the forms that a value may have."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        yield from forms_of(SCHEMA["$defs"][node["$ref"].split("/")[-1]])
    for keyword in ("oneOf", "anyOf", "allOf"):
        for form in node.get(keyword, ()):
            yield from forms_of(form)
    if "type" in node or "properties" in node:
        yield node


def children_of(form: dict[str, Any], *, items: bool) -> Iterator[tuple[str, Any]]:
    yield from form.get("properties", {}).items()
    for pattern, inner in form.get("patternProperties", {}).items():
        if pattern != "^x-":
            yield "*", inner
    if items and "items" in form:
        yield "*", form["items"]


def keys_below(node: Any, path: str = "", *, items: bool = True) -> Iterator[tuple[str, Any]]:
    """Iterate over the paths of the schema and its piece at each; ``items`` goes into lists, too."""
    for form in forms_of(node):
        for key, inner in children_of(form, items=items):
            below = f"{path}.{key}" if path else key
            yield below, inner
            yield from keys_below(inner, below, items=items)


def types_of(node: Any) -> set[str]:
    types = [form.get("type", "object") for form in forms_of(node)]
    return {word for each in types for word in ([each] if isinstance(each, str) else each)}


KEYS = {path for path, _ in keys_below(SCHEMA) if not path.endswith("*")}
SERVICE_KEYS = {path for path in KEYS if path.startswith(SERVICE)}
# Items of a list are not merged with each other, so what is below a list is left out.
TYPES_OF_MERGED = {
    path: types_of(node)
    for path, node in keys_below(SCHEMA, items=False)
    if path.startswith(SERVICE)
}


def is_top(path: str) -> bool:
    """Return whether a path is a key of a service itself."""
    return path.startswith(SERVICE) and path.count(".") == 2


class RecordingTree(dict[str, Any]):
    """Record which keys of a mapping are looked up, whether they are there or not."""

    def __init__(self, path: str, requested: dict[str, None], tree: dict[str, Any]) -> None:
        super().__init__(tree)
        self.path, self.requested = path, requested

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        self.requested[f"{self.path}.{key}"] = None
        return super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        self.requested[f"{self.path}.{key}"] = None
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.requested[f"{self.path}.{key}"] = None
        return super().get(key, default)


def keys_asked_for(act: Callable[[Any], object]) -> list[str]:
    """List the keys of a service that a function looks up, in order of the first look-up.

    The service has every mapping that the schema knows, and no scalar.
    """
    requested: dict[str, None] = {}
    act(_recording(SCHEMA["$defs"]["service"], "services.*", requested))
    return list(requested)


def _recording(node: Any, path: str, requested: dict[str, None]) -> Any:
    forms = list(forms_of(node))
    for form in forms:
        if "properties" in form:
            children = {
                key: _recording(inner, f"{path}.{key}", requested)
                for key, inner in form["properties"].items()
            }
            present = {key: value for key, value in children.items() if value is not None}
            return RecordingTree(path, requested, present)
    for form in sorted(forms, key=lambda form: form.get("type") == "array"):
        for key, inner in children_of(form, items=True):
            value = _recording(inner, f"{path}.{key}", requested)
            if value is not None:
                return [value] if form.get("type") == "array" else {"x": value}
    return None
