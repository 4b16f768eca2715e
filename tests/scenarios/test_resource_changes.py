"""Networks that are renamed, and volumes that do not match their definition any more."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project

QUESTION = "exists but doesn't match configuration in compose file. Recreate (data will be lost)?"


def networks(project: Project) -> dict[str, str]:
    """Return the networks of each service's container, as `ps` shows them."""
    return {row["Service"]: row["Networks"] for row in project.ps()}


def test_containers_move_to_a_renamed_network_in_the_same_up(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
        services:
          web: {{<<: *common, networks: [front]}}
          db: {{<<: *common, networks: [front, back]}}
          other: {{<<: *common, networks: [back]}}
        networks: {{front: {{name: before}}, back: {{}}}}
        """
    project = make_project(text)
    project.up()
    name = project.name
    assert networks(project) == {
        "web": "before", "db": f"before,{name}_back", "other": f"{name}_back",
    }  # fmt: skip
    project.compose("stop", "-t", "0", "web").ok()
    ids = {row["Service"]: row["ID"] for row in project.ps()}

    project.write("compose.yaml", text.replace("before", "after"))
    moved = project.up()
    assert "Network before  Removed" in moved.stderr
    assert networks(project) == {
        "web": "after", "db": f"after,{name}_back", "other": f"{name}_back",
    }  # fmt: skip
    assert set(project.states().values()) == {"running"}
    assert {row["Service"]: row["ID"] for row in project.ps()}["other"] == ids["other"]
    project.exec("web", "ping", "-c", "1", "-W", "2", "db").ok()

    # A container that stays on the old network keeps it.
    project.write("compose.yaml", text.replace("before", "third"))
    assert "Network after  Removed" not in project.up("--no-deps", "web").stderr
    assert networks(project)["db"] == f"after,{name}_back"
    assert "Network after  Removed" in project.up().stderr


def test_containers_stay_when_their_network_changes(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
        services:
          web: {{<<: *common, depends_on: [db]}}
          db: {{<<: *common}}
          ended: {{<<: *common, command: "true"}}
        networks: {{default: {{ipam: {{config: [{{subnet: 10.201.1.0/24}}]}}}}}}
        """
    project = make_project(text)
    project.up()
    project.exec("web", "touch", "/own").ok()
    ids = {row["Service"]: row["ID"] for row in project.ps()}

    def address(service: str) -> str:
        return project.exec(service, "hostname", "-i").ok().stdout

    assert address("web").startswith("10.201.1.")
    project.write("compose.yaml", text.replace("10.201.1.0", "10.201.2.0"))
    project.up("web")  # the others are on it, too
    assert address("web").startswith("10.201.2.")
    assert address("db").startswith("10.201.2.")
    project.exec("web", "ping", "-c", "1", "-W", "2", "db").ok()
    project.exec("web", "ls", "/own").ok()
    project.up()
    assert {row["Service"]: row["ID"] for row in project.ps()} == ids


def test_a_volume_is_recreated_when_the_question_is_answered_with_yes(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
          volumes: ["data:/data"]
        services:
          web: {{<<: *common}}
          db: {{<<: *common}}
          other: {{<<: *common, volumes: []}}
        volumes: {{data: {{labels: {{n: first}}}}}}
        """
    project = make_project(text)
    project.up()
    project.exec("db", "touch", "/data/kept").ok()
    ids = {row["Service"]: row["ID"] for row in project.ps()}
    project.write("compose.yaml", text.replace("first", "second"))
    for answer in ("", "n\n", "what\n"):
        asked = project.up(stdin=answer)
        assert f'Volume "{project.name}_data" {QUESTION}' in asked.stdout
    assert {row["Service"]: row["ID"] for row in project.ps()} == ids
    assert QUESTION not in project.compose("--dry-run", "up", "-d").ok().stdout
    project.exec("web", "ls", "/data/kept").ok()

    # Those that use it are stopped before, also where they are not selected.
    changed = project.up("web", stdin="y\n").stderr
    assert changed.index(f"{project.name}-db-1  Stopped") < changed.index("_data  Removed")
    assert project.exec("web", "ls", "/data").stdout == ""
    assert set(project.states().values()) == {"running"}
    project.exec("web", "touch", "/data/shared").ok()
    assert project.exec("db", "ls", "/data").stdout == "shared\n"
    project.write("compose.yaml", text.replace("first", "third"))
    assert QUESTION not in project.compose("create", "--yes").ok().stdout
    project.up()
    assert project.exec("db", "ls", "/data").stdout == ""
    assert {row["Service"]: row["ID"] for row in project.ps()}["other"] == ids["other"]
