"""What a container was created with is kept, whatever the project becomes."""

from cntnr_compose.containers.state import file_sources
from cntnr_compose.containers.state.file_sources import FileSources
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record
from cntnr_compose.model.project import FileSource, Project
from cntnr_compose.model.service import FileMount, Service

BEFORE = Project(
    name="p",
    working_dir="/here",
    configs={key: FileSource(key=key, content=f"old {key}") for key in ("a", "b")},
    secrets={"s": FileSource(key="s", file="/s")},
)
AFTER = Project(name="p", working_dir="/there", configs={"a": FileSource(key="a", content="new")})


def record(**settings: tuple[object, ...]) -> Record:
    files.remove_tree(paths.data())
    made = Record(
        id="a" * 64,
        name="p-web-1",
        project="p",
        service="web",
        definition=Service(name="web", **settings),  # type: ignore[arg-type]
    )
    paths.container("p", made.id).mkdir(parents=True)
    return made


def test_only_what_a_container_uses_is_kept_and_only_for_the_user() -> None:
    uses = record(configs=(FileMount(source="a"),), secrets=(FileMount(source="s"),))
    file_sources.write_sources(uses, BEFORE)
    kept = FileSources(
        working_dir="/here", configs={"a": BEFORE.configs["a"]}, secrets=BEFORE.secrets
    )
    assert file_sources.read_sources(uses, AFTER) == kept
    assert file_sources.read_sources(uses, None) == kept
    file = paths.container("p", uses.id) / "sources.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_who_uses_nothing_has_no_file() -> None:
    plain = record()
    file_sources.write_sources(plain, BEFORE)
    assert list(paths.container("p", plain.id).iterdir()) == []
    assert file_sources.read_sources(plain, None) == FileSources()


def test_a_container_of_an_older_version_has_what_the_project_has() -> None:
    older = record(configs=(FileMount(source="a"),))
    assert file_sources.read_sources(older, AFTER).configs == AFTER.configs
