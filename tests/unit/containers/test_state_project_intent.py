"""What a project was last brought up as."""

from cntnr_compose.containers.state import project_intent
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.project import Network, Project
from cntnr_compose.model.service import NetworkAttachment, Service


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


def test_addresses_that_other_projects_ask_for_on_our_networks() -> None:
    files.remove_tree(paths.data())

    def write(name: str, network: str, address: str, *, disabled: bool = False) -> Project:
        fixed = Service(name="a", networks={"lan": NetworkAttachment(ipv4_address=address)})
        intent = Project(
            name=name,
            working_dir="/",
            networks={"lan": Network(key="lan", name=network)},
            **{"disabled" if disabled else "services": {"a": fixed}},
        )
        project_intent.write_intent(intent)
        return intent

    own = write("own", "shared", "10.0.0.2")
    write("other", "shared", "10.0.0.3")
    write("profile", "shared", "10.0.0.4", disabled=True)
    write("apart", "else", "10.0.0.5")
    write("none", "shared", "")
    (paths.projects() / "bad.json").write_text('"ipv4_address" shared')
    assert project_intent.requested_by_others("own", {"shared"}) == {"10.0.0.3", "10.0.0.4"}
    assert project_intent.list_requested_addresses(own, {"shared"}) == {"10.0.0.2"}
    assert project_intent.list_requested_addresses(own, {"else"}) == set()
