"""Whatever the files contain, loading makes a project or fails with a message; it never breaks.

A short run is part of the suite; ``pytest tests/fuzz --fuzz 100000`` is a long one.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cntnr_compose.compose.load import LoadRequest, load
from cntnr_compose.compose.render import output
from cntnr_compose.compose.render.explain import list_origins
from cntnr_compose.compose.support.report import find_unsupported
from cntnr_compose.compose.validation.schema import flatten_schema, read_docker_schema
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import to_json as encode
from cntnr_compose.model.host import HostCapabilities
from tests.fuzz.documents import spoilt, valid
from tests.fuzz.texts import env_text, text

SCHEMA = flatten_schema(read_docker_schema())
DEFAULT_COUNT = 120
NAMES = ["compose.yaml", "compose.override.yaml", "other.yaml", "a", "b", "x"]
WORDS = st.sampled_from(["", "1", "x", "a b", "$A", "${B", "é", "\n", "true", "*", "/", "compose"])


@pytest.fixture(scope="module")
def folder() -> Any:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture
def try_many(request: pytest.FixtureRequest) -> Callable[[Any, Callable[[Any], None]], None]:
    """Return a function that runs a check on many examples of a strategy."""
    count = request.config.getoption("--fuzz", default=0) or DEFAULT_COUNT

    def run(strategy: Any, check: Callable[[Any], None]) -> None:
        configured = settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        configured(given(strategy)(check))()

    return run


def loads(folder: Path, files: Mapping[str, str], **request: Any) -> bool:
    """Load and print a project; return whether it was accepted."""
    for name in [*NAMES, ".env"]:
        (folder / name).unlink(missing_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode(errors="surrogatepass"))
    try:
        loaded = load(LoadRequest(cwd=str(folder), with_provenance=True, **request))
        plain = not request.get("interpolate", True)
        (output.render_untyped_json if plain else output.render_json)(loaded.tree)
        (output.render_untyped_yaml if plain else output.render_yaml)(loaded.tree)
    except CntnrError:
        return False
    encode(loaded.project)
    assert all(row["Path"] for row in list_origins(loaded.tree, loaded.provenance))
    if not plain:
        loaded.source_map.with_locations(find_unsupported(loaded.tree, HostCapabilities()))
    return True


def test_documents_that_fit_the_schema(folder: Path, try_many: Any) -> None:
    accepted = []
    try_many(
        text(valid(SCHEMA)),
        lambda document: accepted.append(loads(folder, {"compose.yaml": document})),
    )
    assert any(accepted)


def test_documents_that_are_spoilt(folder: Path, try_many: Any) -> None:
    accepted = []
    try_many(
        text(spoilt(SCHEMA)),
        lambda document: accepted.append(loads(folder, {"compose.yaml": document})),
    )
    assert not all(accepted)


def test_several_files_that_extend_and_include_each_other(folder: Path, try_many: Any) -> None:
    def check(example: tuple[Any, ...]) -> None:
        files, environ, env, switches = example
        loads(folder, {**files, ".env": env}, **switches, environ=environ)

    trees = spoilt(SCHEMA).map(with_existing_files)
    files = st.dictionaries(st.sampled_from(NAMES), text(trees), min_size=1, max_size=4)
    environ = st.dictionaries(
        st.sampled_from(["A", "B", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"]), WORDS, max_size=3
    )
    names = ["interpolate", "normalize", "resolve_paths", "consistency", "all_resources"]
    switches = st.dictionaries(st.sampled_from(names), st.booleans(), max_size=2)
    try_many(st.tuples(files, environ, env_text(), switches), check)


def with_existing_files(tree: Any) -> Any:
    """Let services and includes name files that exist."""
    services = tree.get("services") if isinstance(tree, dict) else None
    items = services.items() if isinstance(services, dict) else ()
    for number, (name, service) in enumerate(items):
        if isinstance(service, dict) and "extends" in service:
            base = ("a", "b", name)[number % 3]
            service["extends"] = {"service": base, "file": NAMES[number % 4]}
        if isinstance(service, dict) and "env_file" in service:
            service["env_file"] = [".env", "a"][: 1 + number % 2]
    if isinstance(tree, dict) and "include" in tree:
        tree["include"] = ["other.yaml", {"path": ["a", "b"], "env_file": ".env"}]
    return tree
