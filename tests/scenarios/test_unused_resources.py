"""Networks and volumes are created for the services that are brought up, and for no others."""

import json

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project


def resources(project: Project) -> set[str]:
    """Return the networks and volumes of a project by their keys."""
    listed = project.compose("volumes", "--format", "json").ok().json_lines
    names = {row["Name"] for row in listed}
    place = project.user.inside("networks")
    networks = place.glob("*.json") if place else ()
    names |= {json.loads(file.read_text())["found"]["name"] for file in networks}
    return {name.partition("_")[2] for name in names if name.startswith(f"{project.name}_")}


def test_only_what_the_selected_services_use_is_created(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
        services:
          web: {{<<: *common, networks: [front], volumes: ["pages:/pages"], depends_on: [db]}}
          db: {{<<: *common, networks: [back], volumes: ["tables:/tables"]}}
          other: {{<<: *common, volumes: ["things:/things"]}}
          hidden: {{<<: *common, profiles: [debug], networks: [debug], volumes: ["dump:/dump"]}}
        networks: {{front: {{}}, back: {{}}, debug: {{}}, spare: {{}}}}
        volumes: {{pages: {{}}, tables: {{}}, things: {{}}, dump: {{}}, spare: {{}}}}
        """)
    project.up("db")
    assert resources(project) == {"back", "tables"}
    project.compose("run", "--rm", "--no-deps", "web", "true").ok()
    assert resources(project) == {"back", "tables", "front", "pages"}
    project.down("-v")
    project.compose("create").ok()
    assert resources(project) == {"back", "tables", "front", "pages", "default", "things"}
    project.down("-v")
    assert resources(project) == set()
    project.compose("--all-resources", "up", "-d", "db").ok()
    everything = {"front", "back", "debug", "spare", "pages", "tables", "things", "dump"}
    assert resources(project) - {"default"} == everything
    project.compose("--all-resources", "down", "-v", "-t", "0").ok()
    assert resources(project) == set()
