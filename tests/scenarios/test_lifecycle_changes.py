"""What a second `up` touches, and what it says of why."""

import json

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project
from tests.scenarios.oneshots import ended


def identities(made: Project) -> dict[str, str]:
    return {row["Service"]: row["ID"] for row in made.ps()}


def moved(made: Project, before: dict[str, str]) -> set[str]:
    """Name the services whose containers are others now."""
    after = identities(made)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_second_up_of_an_unchanged_project_touches_nothing(
    project: MakeProject, busybox_image: str
) -> None:
    made = project(
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
    made.up()
    before = {row["Name"]: (row["ID"], row["CreatedAt"]) for row in made.ps()}
    files = (made.user.data / "containers" / made.name).glob("*/record.json")
    written = {path: path.stat().st_mtime_ns for path in files}
    again = made.up()
    assert {row["Name"]: (row["ID"], row["CreatedAt"]) for row in made.ps()} == before
    assert written == {path: path.stat().st_mtime_ns for path in written}
    for word in ("Creat", "Recreat", "Stopp", "Removing"):
        assert word not in again.stderr, again
    for name in ("web-1", "db-1", "db-2"):
        assert f"Container {made.name}-{name}  Running" in again.stderr
    # What does not make a container what it is changes nothing either.
    text = (made.folder / "compose.yaml").read_text()
    made.write(
        "compose.yaml", text.replace("scale: 2", "scale: 3").replace("B: 2, A: 1", "A: 1, B: 2")
    )
    made.up()
    after = {row["Name"]: (row["ID"], row["CreatedAt"]) for row in made.ps()}
    assert {name: one for name, one in after.items() if name in before} == before
    assert set(after) - set(before) == {f"{made.name}-db-3"}


def test_changes_recreate_what_they_concern_and_are_said(
    project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          web: {{<<: *small, environment: {{WORD: one}}, volumes: [/kept], depends_on: [db]}}
          db: {{<<: *small, volumes: ["data:/data"], labels: {{a: "1"}}}}
          other: {{<<: *small}}
        volumes: {{data: }}
        """
    made = project(text)
    made.up()
    made.exec("web", "sh", "-c", "echo anonymous >/kept/word; echo lost >/tmp/word").ok()
    made.exec("db", "sh", "-c", "echo named >/data/word").ok()
    before = identities(made)
    changed = text.replace("WORD: one", "WORD: two")
    made.write("compose.yaml", changed)
    assert made.compose("up", "--dry-run", "-d").ok().stdout.splitlines() == [
        f"1 recreate container {made.name}-web-1: configuration changed",
        f"2 prepare container {made.name}-web-1 (after 1)",
        f"3 start container {made.name}-web-1: recreated by 1 (after 2)",
    ]
    assert moved(made, before) == set()
    said = made.up("-t", "0").stderr
    assert moved(made, before) == {"web"}
    assert f"Container {made.name}-web-1  Recreate (configuration changed)" in said
    assert f"Container {made.name}-web-1  Recreated" in said
    assert f"Container {made.name}-db-1  Running" in said
    found = made.exec("web", "sh", "-c", "cat /kept/word; cat /tmp/word; echo $WORD")
    assert found.stdout == "anonymous\ntwo\n"
    assert made.exec("db", "cat", "/data/word").stdout == "named\n"

    before = identities(made)
    made.up("--force-recreate", "-t", "0", "web")
    assert moved(made, before) == {"web"}  # what it depends on was not named
    before = identities(made)
    made.up("--force-recreate", "--always-recreate-deps", "-t", "0", "web")
    assert moved(made, before) == {"web", "db"}
    before = identities(made)
    made.write("compose.yaml", changed.replace('a: "1"', 'a: "2"'))
    made.up("--no-recreate")
    assert moved(made, before) == set()
    made.up("--no-deps", "-t", "0", "web")
    assert moved(made, before) == set()
    made.up("-V", "-t", "0", "db", "web")
    assert moved(made, before) == {"db"}
    made.up("-V", "--force-recreate", "-t", "0", "web")
    assert made.exec("web", "cat", "/kept/word").returncode != 0


def test_a_new_image_recreates(project: MakeProject, busybox_image: str) -> None:
    made = project(
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
    made.up()
    before = identities(made)
    made.write("word", "two\n")
    made.up()
    assert moved(made, before) == set()
    made.up("--build", "-t", "0")
    assert moved(made, before) == {"web"}
    assert made.exec("web", "cat", "/word").stdout == "two\n"


def test_what_left_the_file_is_an_orphan_and_goes_when_told(
    project: MakeProject, busybox_image: str
) -> None:
    small = f"{{image: {busybox_image}, init: true, command: sleep 1000}}"
    made = project(f"services: {{stays: {small}, old: {small}}}")
    made.up()
    made.write("compose.yaml", f"services: {{stays: {small}}}")
    said = made.up().stderr
    assert f"Found orphan containers ([{made.name}-old-1]) for this project" in said
    assert made.states()[f"{made.name}-old-1"] == "running"
    assert "orphan" not in made.up(env={"COMPOSE_IGNORE_ORPHANS": "1"}).stderr
    both = made.compose("up", "-d", "--remove-orphans", env={"COMPOSE_IGNORE_ORPHANS": "1"})
    assert both.returncode == 1
    assert "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans" in both.stderr
    made.up("--remove-orphans", "-t", "0")
    assert set(made.states()) == {f"{made.name}-stays-1"}


def test_networks_and_volumes_that_changed_are_made_anew(
    project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          web: {{<<: *small, networks: [front]}}
          db: {{<<: *small, networks: [back], volumes: ["data:/data"]}}
        networks: {{front: {{internal: false}}, back: }}
        volumes: {{data: {{labels: {{a: "1"}}}}}}
        """
    made = project(text)
    made.up()
    made.exec("db", "sh", "-c", "echo kept >/data/word").ok()
    before = identities(made)
    made.write("compose.yaml", text.replace("internal: false", "internal: true"))
    made.up("-t", "0")
    assert moved(made, before) <= {"web"}
    assert made.states()[f"{made.name}-web-1"] == "running"
    assert "default" not in made.exec("web", "ip", "route").ok().stdout

    made.write("compose.yaml", text.replace('a: "1"', 'a: "2"'))
    asked = made.up("-t", "0")
    assert made.exec("db", "cat", "/data/word").stdout == "kept\n"  # nobody said yes
    assert "data" in asked.stderr
    made.up("-y", "-t", "0")
    assert made.exec("db", "cat", "/data/word").returncode != 0


def test_no_start_creates_and_a_job_runs_again_at_the_next_up(
    project: MakeProject, busybox_image: str
) -> None:
    made = project(f"""
        services:
          job: {{image: {busybox_image}, command: echo ran}}
        """)
    made.compose("up", "--no-start").ok()
    assert made.states() == {f"{made.name}-job-1": "created"}
    before = identities(made)
    for runs in (1, 2):
        made.up()
        ended(made)
        assert made.logs_count("ran") == runs
    assert moved(made, before) == set()
    labels = next(row["Labels"] for row in made.ps())
    shown = json.loads(made.compose("config", "--format", "json").ok().stdout)
    assert list(shown["services"]) == ["job"]
    digest = made.compose("config", "--hash", "job").ok().stdout.split()
    assert digest[0] == "job"
    assert f"com.docker.compose.config-hash={digest[1]}" in labels
