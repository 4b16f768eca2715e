"""Flags of `config`: what it prints of the files, and how it reads them."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

TEXT = """
services:
  a: {{image: "{image}", env_file: a.env, volumes: ["./x:/x"], profiles: [first]}}
  b: {{image: "busybox:${{TAG:-latest}}", environment: {{WORD: "${{WORD?is needed}}"}}, models: [m]}}
models: {{m: {{model: ai/x}}}}
"""


def printed(project: Project, *words: str) -> str:
    return project.compose("config", *words).ok().stdout


def test_lists(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        TEXT.format(image=busybox_image), files={"a.env": "FROM_FILE=1\n", ".env": "WORD=w\n"}
    )
    assert printed(project, "--models") == "ai/x\n"
    assert printed(project, "--profiles") == "first\n"
    assert "WORD=w\n" in printed(project, "--environment")
    rows = [line.split() for line in printed(project, "--variables").splitlines()]
    assert rows[0][:2] == ["NAME", "REQUIRED"]
    assert ["TAG", "false", "latest"] in rows
    assert ["WORD", "true"] in rows
    assert printed(project, "--dry-run", "--services") == "b\n"


def test_how_files_are_read(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        TEXT.format(image=busybox_image), files={"a.env": "FROM_FILE=1\n", ".env": "WORD=w\n"}
    )
    every = ("--profile", "first")
    assert f"source: {project.folder}/x" in printed(project, *every)
    assert "source: ./x" in printed(project, "--no-path-resolution", *every)
    assert 'FROM_FILE: "1"' in printed(project, *every)
    assert "${TAG:-latest}" in printed(project, "--no-interpolate", *every)
    assert "networks:" not in printed(project, "--no-normalize", *every)
    hashes = [
        printed(project, *every, "--hash", "a", *words) for words in ((), ("--no-env-resolution",))
    ]
    assert hashes[0] != hashes[1]
    assert_refused(
        project.compose("config", env={"COMPOSE_DISABLE_ENV_FILE": "1"}),
        "required variable WORD is missing a value: is needed",
    )

    project.write(
        "compose.yaml", f"services: {{a: {{image: {busybox_image}, depends_on: [none]}}}}"
    )
    assert_refused(project.compose("config", "--quiet"), 'depends on undefined service "none"')
    assert "none:" in printed(project, "--no-consistency")
    project.write("compose.yaml", "services: {}")


def test_the_output_goes_to_a_file(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        TEXT.format(image=busybox_image), files={"a.env": "", ".env": "WORD=w\n"}
    )
    project.user.own(project.folder)
    assert printed(project, "--output", "out.yaml") == ""
    assert (project.folder / "out.yaml").read_text() == printed(project)
    assert_refused(project.compose("config", "-o", "no/such/out.yaml"), "no/such/out.yaml")


def test_images_by_their_digests(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        TEXT.format(image=busybox_image), files={"a.env": "", ".env": "WORD=w\n"}
    )
    pinned = printed(project, "--resolve-image-digests")
    assert "image: docker.io/library/busybox:latest@sha256:" in pinned
    assert "environment:" in pinned
    locked = printed(project, "--lock-image-digests")
    assert "image: docker.io/library/busybox:latest@sha256:" in locked
    assert "environment:" not in locked
    project.write("compose.yaml", "services: {a: {image: no/such}}")
    assert_refused(project.compose("config", "--resolve-image-digests"), "no/such")
