"""Flags of `pull` and of the pulls of other commands: which images, and when."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

TEXT = """
services:
  web: {{image: {image}, depends_on: [db], command: sleep 1000, stop_signal: KILL}}
  db: {{image: "busybox:1", command: sleep 1000, stop_signal: KILL}}
  made: {{image: "no/such/made", build: ., profiles: [more]}}
  gone: {{image: "no/such/gone", profiles: [more]}}
"""


def pulled(project: Project, *words: str) -> list[str]:
    """Return the images that are pulled."""
    stderr = project.compose(*words).ok().stderr
    return sorted(line.split()[1] for line in stderr.splitlines() if line.endswith("Pulled"))


def test_which_images_are_pulled(make_project: MakeProject, busybox_image: str) -> None:
    text = TEXT.format(image=busybox_image)
    project = make_project(text, files={"Dockerfile": "FROM busybox\n"})
    assert pulled(project, "pull", "web") == [busybox_image]
    assert pulled(project, "pull", "--include-deps", "--no-parallel", "web") == [
        "busybox:1",
        busybox_image,
    ]
    assert pulled(project, "pull", "--policy", "missing", "--include-deps", "web") == []
    assert pulled(project, "pull", "--policy", "always", "--parallel", "web") == [busybox_image]
    assert_refused(project.compose("pull", "--policy", "seldom", "web"), "--policy", "seldom")
    assert project.compose("pull", "--quiet", "web").ok().stderr == ""

    assert_refused(project.compose("pull", "gone"), "no/such/gone")
    ended = project.compose("pull", "--ignore-pull-failures", "gone", "web").ok()
    assert f"Image {busybox_image}  Pulled" in ended.stderr
    skipped = project.compose("pull", "--ignore-buildable", "made", "web").ok().stderr
    assert "no/such/made  Skipped (Image can be built)" in skipped


def test_pulls_of_other_commands(make_project: MakeProject, busybox_image: str) -> None:
    text = TEXT.format(image=busybox_image)
    project = make_project(text, files={"Dockerfile": "FROM busybox\n"})
    assert busybox_image in pulled(project, "create", "--pull", "always", "web")
    quiet = project.compose("create", "--pull", "always", "--quiet-pull", "web").ok().stderr
    assert "Pull" not in quiet
    assert pulled(project, "create", "--pull", "missing", "web") == []
    assert_refused(project.compose("create", "--pull", "never", "gone"), "no/such/gone")
    assert_refused(project.compose("create", "--pull", "seldom"), 'invalid --pull option "seldom"')
    assert busybox_image in pulled(project, "up", "-d", "--no-start", "--pull", "always", "web")
    quiet = project.compose("up", "-d", "--pull", "always", "--quiet-pull", "web").ok().stderr
    assert "Pull" not in quiet
    once = ("run", "--rm", "--no-deps", "--pull", "always")
    assert pulled(project, *once, "web", "true") == [busybox_image]
    assert "Pull" not in project.compose(*once, "--quiet-pull", "web", "true").ok().stderr


def test_another_platform(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    other = {"DOCKER_DEFAULT_PLATFORM": "linux/s390x"}
    project.compose("pull", "web", env={"DOCKER_DEFAULT_PLATFORM": "linux/amd64"}).ok()
    shown = project.compose("--verbose", "pull", "web", env=other)
    assert "--override-arch s390x" in shown.stderr
    project.write(".env", "DOCKER_DEFAULT_PLATFORM=linux/s390x\n")
    shown = project.compose("--verbose", "create", "--pull", "always", "web")
    assert "--override-arch s390x" in shown.stderr
