"""Collect the files of a project as `publish` sends them: what they refer to goes with them."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.relative_paths import absolute_path, parent
from cntnr_compose.compose.variables.interpolate import interpolate
from cntnr_compose.compose.yaml.reader import read_documents
from cntnr_compose.compose.yaml.source_map import SourceText
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen, Tree
from cntnr_compose.images.transports.artifact import PublishedFile
from cntnr_compose.model.project import Project


class LocalInclude(CntnrError):
    """A compose file includes others of this machine."""

    hint = "publish those first, and include them by oci://"

    def __init__(self) -> None:
        super().__init__("cannot publish compose file with local includes")


class ReferenceUnclear(CntnrError):
    """A path in a file cannot be replaced, as its text is not found."""

    hint = "write the path without an alias, escapes or several lines"

    def __init__(self, file: str, line: int, path: str) -> None:
        super().__init__(f"{file}:{line}: cannot publish the reference to {path}")


class _Reference(Frozen):
    """A path in a compose file: where it stands in the tree, its text, and the file that it means."""

    place: tuple[str | int, ...]
    text: str
    file: str
    is_env_file: bool


def collect_files(
    project: Project, texts: Mapping[str, str], *, with_env: bool
) -> list[PublishedFile]:
    """Collect the compose files of a project, those that services extend, and with ``with_env`` env files.

    ``texts`` are those that were read already: standard input is read once. References to the latter two are
    replaced by the names that they are published under.
    Raises `LocalInclude`, `ReferenceUnclear`, `FileUnreadable`.
    """
    collection = _Collection(project, texts)
    published = [
        collection.publish(file, Path(file).name if file != reading.STDIN else "compose.yaml", "")
        for file in project.files
    ]
    return [*published, *collection.extended(), *(collection.env_files() if with_env else ())]


class _Collection:
    """The files that were found so far; by path, the name that each is published under."""

    def __init__(self, project: Project, texts: Mapping[str, str]) -> None:
        self._project, self._texts = project, texts
        self._extended: dict[str, str] = {}
        self._env_files: dict[str, str] = {}

    def publish(self, file: str, name: str, base: str) -> PublishedFile:
        """Read a file, and replace its references; they are relative to ``base``, or to the project."""
        text = self._texts[file] if file in self._texts else reading.read_compose_file(file)
        references = list(self._find_references(file, text, base or self._project.working_dir))
        names = {}
        for reference in references:
            known, ending = (
                (self._env_files, "env") if reference.is_env_file else (self._extended, "yaml")
            )
            digest = hashlib.sha256(reference.file.encode()).hexdigest()
            names[reference.place] = known.setdefault(reference.file, f"{digest}.{ending}")
        content = _replace_references(file, text, references, names)
        return PublishedFile(name=name, content=content.encode(), is_extended=bool(base))

    def extended(self) -> Iterator[PublishedFile]:
        """Publish the files that services extend, and those that they extend."""
        done: set[str] = set()
        while pending := [file for file in self._extended if file not in done]:
            for file in pending:
                done.add(file)
                yield self.publish(file, self._extended[file], parent(file))

    def env_files(self) -> Iterator[PublishedFile]:
        """Publish the env files that exist."""
        for file, name in self._env_files.items():
            path = Path(file)
            if path.is_file():
                yield PublishedFile(name=name, content=path.read_bytes(), is_env_file=True)

    def _find_references(self, file: str, text: str, base: str) -> Iterator[_Reference]:
        source = SourceText(file, text)
        for document in read_documents(text, file):
            raw = document.tree if isinstance(document.tree, dict) else {}
            tree = interpolate(raw, self._project.environment.get, source, reading.ignore_warning)
            if any(not reading.is_remote(path) for path in _included_paths(tree)):
                raise LocalInclude
            for place, is_env_file in _reference_places(tree):
                value = _value_at(tree, place)
                if value and not reading.is_remote(value):
                    yield _Reference(
                        place=place,
                        text=_value_at(raw, place),
                        file=absolute_path(base, value),
                        is_env_file=is_env_file,
                    )


def _included_paths(tree: Tree) -> Iterator[str]:
    for entry in tree.get("include") or ():
        paths = entry.get("path") if isinstance(entry, dict) else entry
        yield from [paths] if isinstance(paths, str) else paths or ()


def _reference_places(tree: Tree) -> Iterator[tuple[tuple[str | int, ...], bool]]:
    """Yield where the paths of env files (True) and of extended files stand."""
    for name, service in (tree.get("services") or {}).items():
        if not isinstance(service, dict):
            continue
        place = ("services", name)
        env_files = service.get("env_file")
        if isinstance(env_files, str):
            yield (*place, "env_file"), True
        for index, entry in enumerate(env_files if isinstance(env_files, list) else ()):
            ending = ("path",) if isinstance(entry, dict) else ()
            yield (*place, "env_file", index, *ending), True
        extends = service.get("extends")
        if isinstance(extends, dict) and extends.get("file"):
            yield (*place, "extends", "file"), False


def _value_at(tree: Tree, place: tuple[str | int, ...]) -> str:
    value: object = tree
    for step in place:
        value = value[step]  # type: ignore[index]
    return str(value)


def _replace_references(
    file: str,
    text: str,
    references: list[_Reference],
    names: Mapping[tuple[str | int, ...], str],
) -> str:
    """Replace the texts of references, which stand where the tree says."""
    source = SourceText(file, text)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    edits: dict[int, tuple[str, str]] = {}
    for reference in references:
        location = source.locate(reference.place)
        assert location is not None
        at = starts[location.line - 1] + location.column - 1
        key = str(reference.place[-1])
        after = at + len(key) if text.startswith(key, at) else at
        found_at = text.find(reference.text, after)
        if found_at < 0 or "\n" in text[after:found_at].strip(" \n-:"):
            raise ReferenceUnclear(file, location.line, reference.text)
        edits[found_at] = (reference.text, names[reference.place])
    for at, (old, new) in sorted(edits.items(), reverse=True):
        text = text[:at] + new + text[at + len(old) :]
    return text
