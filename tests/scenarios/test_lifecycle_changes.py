"""What a second `up` touches, and what it says of why."""

import json

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project
from tests.scenarios.oneshots import wait_for_exits


def identities(project: Project) -> dict[str, str]:
    return {row["Service"]: row["ID"] for row in project.ps()}


def recreated_services(project: Project, before: dict[str, str]) -> set[str]:
    """Return the services whose containers have new ids."""
    after = identities(project)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_second_up_of_an_unchanged_project_touches_nothing(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(
        f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          web:
            init: true
            command: sleep 1000
            build: {{dockerfile_inline: "FROM {busybox_image}"}}
            environment: {{B: 2, A: 1}}
            env_file: web.env
            volumes: ["data:/data", "/anonymous", "./here:/here"]
            networks: [front, back]
            depends_on: {{db: {{condition: service_healthy}}}}
            configs: [one]
          db: {{<<: *small, healthcheck: {{test: "true", interval: 100ms}}, networks: [back], scale: 2}}
          job: {{<<: *small, command: "true"}}
        configs: {{one: {{content: "x"}}}}
        networks: {{front: , back: }}
        volumes: {{data: }}
        """,
        files={"web.env": "C=3\n", "here/file": ""},
    )
    project.up()
    before = {row["Name"]: (row["ID"], row["CreatedAt"]) for row in project.ps()}
    files = (project.user.data / "containers" / project.name).glob("*/record.json")
    lines = {path: path.stat().st_mtime_ns for path in files}
    again = project.up()
    assert {row["Name"]: (row["ID"], row["CreatedAt"]) for row in project.ps()} == before
    assert lines == {path: path.stat().st_mtime_ns for path in lines}
    for word in ("Creat", "Recreat", "Stopp", "Removing"):
        assert word not in again.stderr, again
    for name in ("web-1", "db-1", "db-2"):
        assert f"Container {project.name}-{name}  Running" in again.stderr
    # What does not make a container what it is changes nothing either.
    text = (project.folder / "compose.yaml").read_text()
    project.write(
        "compose.yaml", text.replace("scale: 2", "scale: 3").replace("B: 2, A: 1", "A: 1, B: 2")
    )
    project.up()
    after = {row["Name"]: (row["ID"], row["CreatedAt"]) for row in project.ps()}
    assert {name: one for name, one in after.items() if name in before} == before
    assert set(after) - set(before) == {f"{project.name}-db-3"}


def test_changes_recreate_what_they_concern_and_are_said(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          web: {{<<: *small, environment: {{WORD: one}}, volumes: [/kept], depends_on: [db]}}
          db: {{<<: *small, volumes: ["data:/data"], labels: {{a: "1"}}}}
          other: {{<<: *small}}
        volumes: {{data: }}
        """
    project = make_project(text)
    project.up()
    project.exec("web", "sh", "-c", "echo anonymous >/kept/word; echo lost >/tmp/word").ok()
    project.exec("db", "sh", "-c", "echo named >/data/word").ok()
    before = identities(project)
    changed = text.replace("WORD: one", "WORD: two")
    project.write("compose.yaml", changed)
    assert project.compose("plan").ok().stdout.splitlines() == [
        f"1 recreate container {project.name}-web-1: configuration changed",
        f"2 prepare container {project.name}-web-1 (after 1)",
        f"3 start container {project.name}-web-1: recreated by 1 (after 2)",
    ]
    assert recreated_services(project, before) == set()
    stderr = project.up("-t", "0").stderr
    assert recreated_services(project, before) == {"web"}
    assert f"Container {project.name}-web-1  Recreate (configuration changed)" in stderr
    assert f"Container {project.name}-web-1  Recreated" in stderr
    assert f"Container {project.name}-db-1  Running" in stderr
    output = project.exec("web", "sh", "-c", "cat /kept/word; cat /tmp/word; echo $WORD")
    assert output.stdout == "anonymous\ntwo\n"
    assert project.exec("db", "cat", "/data/word").stdout == "named\n"

    before = identities(project)
    project.up("--force-recreate", "-t", "0", "web")
    assert recreated_services(project, before) == {"web"}  # what it depends on was not named
    before = identities(project)
    project.up("--force-recreate", "--always-recreate-deps", "-t", "0", "web")
    assert recreated_services(project, before) == {"web", "db"}
    before = identities(project)
    project.write("compose.yaml", changed.replace('a: "1"', 'a: "2"'))
    project.up("--no-recreate")
    assert recreated_services(project, before) == set()
    project.up("--no-deps", "-t", "0", "web")
    assert recreated_services(project, before) == set()
    project.up("-V", "-t", "0", "db", "web")
    assert recreated_services(project, before) == {"db"}
    project.up("-V", "--force-recreate", "-t", "0", "web")
    assert project.exec("web", "cat", "/kept/word").returncode != 0


def test_a_new_image_recreates(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        """
        services:
          web: {build: ., init: true, command: sleep 1000}
          side: {build: side, init: true, command: sleep 1000}
        """,
        files={
            "Dockerfile": f"FROM {busybox_image}\nCOPY word /word\n",
            "word": "one\n",
            "side/Dockerfile": f"FROM {busybox_image}\n",
        },
    )
    project.up()
    before = identities(project)
    project.write("word", "two\n")
    project.up()
    assert recreated_services(project, before) == set()
    project.up("--build", "-t", "0")
    assert recreated_services(project, before) == {"web"}
    assert project.exec("web", "cat", "/word").stdout == "two\n"


def test_what_left_the_file_is_an_orphan_and_goes_when_told(
    make_project: MakeProject, busybox_image: str
) -> None:
    small = f"{{image: {busybox_image}, init: true, command: sleep 1000}}"
    project = make_project(f"services: {{stays: {small}, old: {small}}}")
    project.up()
    project.write("compose.yaml", f"services: {{stays: {small}}}")
    stderr = project.up().stderr
    assert f"Found orphan containers ([{project.name}-old-1]) for this project" in stderr
    assert project.states()[f"{project.name}-old-1"] == "running"
    assert "orphan" not in project.up(env={"COMPOSE_IGNORE_ORPHANS": "1"}).stderr
    both = project.compose("up", "-d", "--remove-orphans", env={"COMPOSE_IGNORE_ORPHANS": "1"})
    assert both.returncode == 1
    assert "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans" in both.stderr
    project.up("--remove-orphans", "-t", "0")
    assert set(project.states()) == {f"{project.name}-stays-1"}


def test_networks_and_volumes_that_changed_are_made_anew(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          web: {{<<: *small, networks: [front]}}
          db: {{<<: *small, networks: [back], volumes: ["data:/data"]}}
        networks: {{front: {{internal: false}}, back: }}
        volumes: {{data: {{labels: {{a: "1"}}}}}}
        """
    project = make_project(text)
    project.up()
    project.exec("db", "sh", "-c", "echo kept >/data/word").ok()
    before = identities(project)
    project.write("compose.yaml", text.replace("internal: false", "internal: true"))
    project.up("-t", "0")
    assert recreated_services(project, before) <= {"web"}
    assert project.states()[f"{project.name}-web-1"] == "running"
    assert "default" not in project.exec("web", "ip", "route").ok().stdout

    project.write("compose.yaml", text.replace('a: "1"', 'a: "2"'))
    result = project.up("-t", "0")
    assert project.exec("db", "cat", "/data/word").stdout == "kept\n"  # nobody said yes
    assert "data" in result.stderr
    project.up("-y", "-t", "0")
    assert project.exec("db", "cat", "/data/word").returncode != 0


def test_no_start_creates_and_a_job_runs_again_at_the_next_up(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          job: {{image: {busybox_image}, command: echo ran}}
        """)
    project.compose("up", "--no-start").ok()
    assert project.states() == {f"{project.name}-job-1": "created"}
    before = identities(project)
    for runs in (1, 2):
        project.up()
        wait_for_exits(project)
        assert project.logs_count("ran") == runs
    assert recreated_services(project, before) == set()
    labels = next(row["Labels"] for row in project.ps())
    shown = json.loads(project.compose("config", "--format", "json").ok().stdout)
    assert list(shown["services"]) == ["job"]
    digest = project.compose("config", "--hash", "job").ok().stdout.split()
    assert digest[0] == "job"
    assert f"com.docker.compose.config-hash={digest[1]}" in labels
