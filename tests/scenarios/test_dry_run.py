"""`--dry-run` shows what a command would do, in the words of that command, and changes nothing."""

import os

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused

PREFIX = " DRY-RUN MODE - "
SHOP = """
services:
  db:
    image: {image}
    init: true
    command: sleep 1000
    volumes: ["data:/data"]
    healthcheck: {{test: "true", interval: 0.1s}}
  web:
    image: {image}
    init: true
    command: sleep 1000
    depends_on: {{db: {{condition: service_healthy}}}}
  built: {{build: ., command: sleep 1000, profiles: [b]}}
  pushed: {{build: ., image: "localhost:1/pushed", profiles: [b]}}
volumes: {{data: }}
"""


def files(user: User) -> dict[str, tuple[int, int]]:
    """List what lies in the user's folders: size and time of each file."""
    listed = {}
    for root in (user.home, user.runtime):
        for folder, _, names in os.walk(root):
            for name in names:
                status = os.lstat(os.path.join(folder, name))
                listed[os.path.join(folder, name)] = (status.st_size, status.st_mtime_ns)
    return listed


def words(ended: Result) -> list[str]:
    """Return what standard error says of resources, without the mark of a dry run, sorted."""
    lines = [line.removeprefix(PREFIX) for line in ended.ok().stderr.splitlines()]
    return sorted(line for line in lines if line.startswith((" Container", " Network", " Volume")))


def assert_foretold(project: Project, *command: str) -> None:
    """Check that a dry run shows what the command then shows."""
    verb, *rest = command
    shown = project.compose(verb, "--dry-run", *rest).ok()
    lines = [line for line in shown.stderr.splitlines() if not line.startswith(PREFIX)]
    assert not lines
    assert words(shown) == words(project.compose(*command)), command


def test_what_is_shown_is_what_is_done(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SHOP.format(image=busybox_image), files={"Dockerfile": "FROM busybox\n"})
    project.compose("pull", "-q").ok()
    assert_foretold(project, "create")
    assert_foretold(project, "up", "-d")
    assert_foretold(project, "scale", "web=2")
    assert_foretold(project, "scale", "web=1")
    assert_foretold(project, "pause", "web")
    assert_foretold(project, "unpause", "web")
    assert_foretold(project, "restart", "-t", "0", "web")
    assert_foretold(project, "up", "-d", "-t", "0", "--force-recreate", "web")
    assert_foretold(project, "kill", "-s", "CONT")
    assert_foretold(project, "stop", "-t", "0")
    assert_foretold(project, "start", "db")
    assert_foretold(project, "rm", "-f")
    assert_foretold(project, "down", "-v", "-t", "0")


def test_nothing_is_changed_and_nothing_started(
    make_project: MakeProject, user: User, busybox_image: str
) -> None:
    project = make_project(SHOP.format(image=busybox_image), files={"Dockerfile": "FROM busybox\n"})
    project.compose("pull", "-q").ok()
    before = files(user)
    for command in (
        "up -d", "create --build", "run -d web true", "scale web=3", "build", "build --push", "pull",
        "down -v --rmi all", "down --rmi local", "stop", "kill", "rm -fsv", "pause", "restart",
        "--profile b up -d", "--profile b build", "--profile b build --push",
    ):  # fmt: skip
        project.compose("--dry-run", *command.split()).ok()
    assert files(user) == before
    assert user.bundles() == []
    assert project.ps() == []

    project.up()
    before = files(user)
    for command in (
        "up -d --force-recreate", "run -d --rm web true", "exec -d web touch /x", "scale web=3",
        "stop", "kill", "rm -fsv", "pause", "restart", "down -v --rmi all --remove-orphans",
    ):  # fmt: skip
        project.compose("--dry-run", *command.split()).ok()
    assert files(user) == before
    assert set(project.states().values()) == {"running"}
    assert len(project.ps()) == 2
    assert project.exec("web", "test", "-e", "/x").returncode == 1


def test_a_supervisor_that_is_gone_is_not_started(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SHOP.format(image=busybox_image))
    project.up()
    parts.kill_supervisor(project)
    before = files(project.user)
    assert "Stopped" in project.compose("stop", "--dry-run").ok().stderr
    again = project.compose("up", "--dry-run", "-d").ok().stderr
    assert "Running" in again
    assert "Creating" not in again
    shown = project.compose("down", "--dry-run", "-v").ok().stderr
    assert f"{PREFIX} Network {project.name}_default  Removed\n" in shown
    assert f"{PREFIX} Volume {project.name}_data  Removed\n" in shown
    assert parts.supervisors(project) == []
    assert files(project.user) == before


def test_images_are_shown(make_project: MakeProject, busybox_image: str) -> None:
    text = SHOP.format(image=busybox_image)
    project = make_project(text, files={"Dockerfile": "FROM busybox\n"})
    shown = project.compose("--dry-run", "pull", "web").ok()
    assert f"{PREFIX} Image {busybox_image}  Pulled\n" in shown.stderr
    built = project.compose("--dry-run", "--profile", "b", "build", "--push").ok()
    assert f"{PREFIX} Image {project.name}-built  Built\n" in built.stderr
    pushed = project.compose("push", "--dry-run", "web").ok()
    assert pushed.stderr == f"{PREFIX} web Skipped \n"
    project.write("compose.yaml", text.replace(f"image: {busybox_image}", "image: no/such", 1))
    for command in (("pull",), ("up", "-d")):
        assert_refused(project.compose("--dry-run", *command), "no/such")
    project.write("Dockerfile", "FORM busybox\n")
    assert_refused(project.compose("--dry-run", "build", "built"), "Dockerfile:1", "FORM")


def test_terminals_are_not_connected(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SHOP.format(image=busybox_image))
    project.compose("pull", "-q").ok()
    attached = project.compose("up", "--dry-run").ok()
    assert attached.stdout == (
        "end of 'compose up' output, interactive run is not supported in dry-run mode\n"
    )
    assert f"{PREFIX} Container {project.name}-web-1  Created\n" in attached.stderr
    assert "Started" not in attached.stderr
    refused = project.compose("run", "--dry-run", "web", "true")
    assert_refused(refused, "interactive run is not supported in dry-run mode")
    assert f"{PREFIX} Container {project.name}-db-1  Started\n" in refused.stderr
    project.up()
    refused = project.compose("--dry-run", "exec", "web", "true")
    assert_refused(refused, "interactive exec is not supported in dry-run mode")
    shown = project.compose("exec", "--dry-run", "-d", "web", "touch", "/x").ok()
    assert shown.stdout.startswith(f'{PREFIX}Executing command ["touch" "/x"] in ')
    named = project.compose("run", "--dry-run", "-d", "--name", "job", "web").ok()
    assert named.stdout == "job\n"


def test_lines_of_json_are_marked(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SHOP.format(image=busybox_image))
    project.compose("pull", "-q").ok()
    shown = project.compose("--progress", "json", "up", "--dry-run", "-d").ok()
    lines = Result([], 0, shown.stderr, "").json_lines
    assert all(line["dry-run"] is True for line in lines)
    assert {"Creating", "Created", "Healthy", "Started"} <= {line["status"] for line in lines}
    drawn = project.compose("--progress", "tty", "up", "--dry-run", "-d").ok()
    assert f"{PREFIX}Container {project.name}-web-1" in drawn.stderr
    assert project.compose("--progress", "quiet", "up", "--dry-run", "-d").ok().stderr == ""


def test_every_command_lists_the_flag(user: User) -> None:
    for command in ("up", "ps", "version", "ls", "logs", "config", "exec"):
        assert "--dry-run" in user.run("cntnr", "compose", command, "--help").ok().stdout


def test_files_and_images_of_containers(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SHOP.format(image=busybox_image))
    project.up()
    user, name = project.user, f"{project.name}-web-1"
    before = files(user)
    for command, (what, words) in {
        ("cp", "web:/etc/passwd", "copied"): (
            f"copy {name}:/etc/passwd to copied",
            "Copying Copied",
        ),
        ("cp", "compose.yaml", "web:/tmp/"): (
            f"copy compose.yaml to {name}:/tmp/",
            "Copying Copied",
        ),
        ("export", "-o", "web.tar", "web"): (f"export {name} to web.tar", "Exporting Exported"),
        ("commit", "web", "web:kept"): (f"Commit {name}", "Committing Committed"),
    }.items():
        verb, *rest = command
        shown = project.compose("--dry-run", verb, *rest).ok()
        assert shown.stderr.splitlines() == [
            f"{PREFIX} {name} {what} {word}" for word in words.split()
        ]
    assert_refused(
        project.compose("attach", "--dry-run", "web"),
        "interactive run is not supported in dry-run mode",
    )
    assert files(user) == before
    assert sorted(path.name for path in project.folder.iterdir()) == ["compose.yaml"]
    assert project.exec("web", "ls", "/tmp").ok().stdout == ""
