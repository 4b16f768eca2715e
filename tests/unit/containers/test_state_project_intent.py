"""What a project was last brought up as."""

from cntnr_compose.containers.state import project_intent
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.project import Project


def test_an_intent_is_read_as_it_was_written() -> None:
    files.remove_tree(paths.data())
    assert project_intent.read_intent("p") is None
    project_intent.write_intent(Project(name="p", working_dir="/here"))
    assert project_intent.read_intent("p") == Project(name="p", working_dir="/here")
    project_intent.remove_intent("p")
    assert project_intent.read_intent("p") is None


def test_what_killed_writers_left_of_an_intent_goes_with_it() -> None:
    files.remove_tree(paths.data())
    paths.projects().mkdir(parents=True)
    for name in (".p.json.17", "p.json", "pq.json", ".pq.json.3"):
        (paths.projects() / name).write_text('{"na')
    assert project_intent.read_intent("p") is None
    project_intent.remove_intent("p")
    assert sorted(path.name for path in paths.projects().iterdir()) == [".pq.json.3", "pq.json"]
