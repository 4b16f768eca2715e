"""Flags of up, create, scale, kill and rm that no other file is about."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

TEXT = """
services:
  web:
    image: {image}
    command: sh -c "echo hello; exec sleep 1000"
    stop_signal: KILL
    volumes: [/anonymous, "data:/data"]
    depends_on: [db]
  db: {{image: {image}, command: sh -c "echo dependency; exec sleep 1000", stop_signal: KILL}}
volumes: {{data: {{labels: {{kind: "1"}}}}}}
"""
SHORT = """
services:
  web: {{image: {image}, command: sh -c "echo hello; sleep 1", depends_on: [db], stop_signal: KILL}}
  db: {{image: {image}, command: sh -c "echo dependency; exec sleep 1000", stop_signal: KILL}}
"""


def identities(project: Project) -> dict[str, str]:
    return {row["Name"].removeprefix(f"{project.name}-"): row["ID"] for row in project.ps("-a")}


def test_what_is_created(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    project.compose("create", "--scale", "web=2", "--no-build").ok()
    before = identities(project)
    assert set(before) == {"web-1", "web-2", "db-1"}
    project.compose("create", "--scale", "web=2", "--force-recreate", "--yes").ok()
    recreated = identities(project)
    assert set(recreated) == set(before)
    assert not set(recreated.values()) & set(before.values())
    text = project.folder / "compose.yaml"
    text.write_text(text.read_text().replace("hello", "other"))
    project.compose("create", "--scale", "web=2", "--no-recreate").ok()
    assert identities(project) == recreated
    project.compose("scale", "--no-deps", "web=1").ok()
    states = project.states()
    assert {name: state for name, state in states.items() if "web" in name} == {
        f"{project.name}-web-1": "running"
    }
    assert states[f"{project.name}-db-1"] == "created"
    assert_refused(project.compose("scale", "web"), "web")


def test_orphans_are_killed_and_removed(make_project: MakeProject, busybox_image: str) -> None:
    text = TEXT.format(image=busybox_image).replace(', "data:/data"', "")
    project = make_project(text.rpartition("volumes: {")[0])
    project.up()
    project.write(
        "compose.yaml", f"services: {{db: {{image: {busybox_image}, command: sleep 1000}}}}"
    )
    project.compose("kill", "--remove-orphans").ok()
    assert set(project.states().values()) == {"exited"}
    assert len(project.states()) == 2
    project.compose("rm", "-f", "--all").ok()
    assert list(project.states()) == [f"{project.name}-web-1"]
    project.compose("create", "--remove-orphans").ok()
    assert list(project.states()) == [f"{project.name}-db-1"]


def test_volumes_are_renewed(make_project: MakeProject, busybox_image: str) -> None:
    text = TEXT.format(image=busybox_image)
    project = make_project(text)
    project.up()
    project.exec("web", "touch", "/anonymous/x", "/data/x").ok()
    project.up("--force-recreate", "-t", "0", "web")
    assert project.exec("web", "ls", "/anonymous", "/data").ok().stdout.count("x") == 2
    project.compose("up", "-d", "--force-recreate", "--renew-anon-volumes", "-t", "0", "web").ok()
    assert project.exec("web", "ls", "/anonymous").ok().stdout == ""
    project.write("compose.yaml", text.replace('kind: "1"', 'kind: "2"'))
    project.compose("up", "-d", "--yes", "-t", "0").ok()
    assert project.exec("web", "ls", "/data").ok().stdout == ""


def test_output_of_an_attached_up(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SHORT.format(image=busybox_image))
    attach = ("--attach-dependencies", "--no-color", "web")
    ended = project.compose("--ansi", "always", "up", *attach).ok()
    assert "web-1  | hello\n" in ended.stdout
    assert "db-1   | dependency\n" in ended.stdout
    coloured = project.compose("--ansi", "always", "up", "--attach-dependencies", "web").ok()
    assert "\x1b[" in coloured.stdout.splitlines()[1]
    alone = project.compose("up", "--no-color", "web").ok()
    assert "dependency" not in alone.stdout
    assert_refused(
        project.compose("up", "--attach-dependencies", "--attach", "web"), "--attach-dependencies"
    )


def test_quiet_builds(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        "services: {web: {build: ., command: sleep 1000, stop_signal: KILL}}",
        files={"Dockerfile": f"FROM {busybox_image}\nRUN echo from the build\n"},
    )
    project.compose("pull", "--ignore-buildable").ok()
    quiet = project.compose("up", "-d", "--build", "--quiet-build").ok()
    assert "from the build" not in quiet.stderr
    assert "Started" in quiet.stderr
    project.write("Dockerfile", f"FROM {busybox_image}\nRUN echo from another build\n")
    quiet = project.compose("run", "--rm", "--build", "--quiet-build", "web", "true").ok()
    assert "another build" not in quiet.stderr
    project.write("Dockerfile", f"FROM {busybox_image}\nRUN echo from a third build\n")
    loud = project.compose("run", "--rm", "--build", "web", "true").ok()
    assert "from a third build" in loud.stderr + loud.stdout


def test_small_cases_in_docker_s_words(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SHORT.format(image=busybox_image))
    assert project.compose("down").ok().stderr == ""
    warned = project.compose("-p", "no-such-project", "down").ok().stderr
    assert 'Warning: No resource found to remove for project \\"no-such-project\\".' in warned
    assert project.compose("kill").ok().stderr == "no container to kill\n"
    assert_refused(
        project.compose("scale", "web"), 'invalid --scale option "web". Should be SERVICE=NUM'
    )
    assert_refused(
        project.compose("up", "--wait", "--attach", "web"),
        "--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies",
    )
    project.up("db")
    assert project.compose("start", "db").ok().stderr == ""
    shown = project.compose("run", "--rm", "-T", "--no-deps", "web", "true").ok()
    assert (shown.stdout, shown.stderr) == ("", "")
    words = [
        line.split()[-1]
        for line in project.compose("restart", "-t", "0", "db").ok().stderr.splitlines()
    ]
    assert words == ["Restarting", "Started"]
    assert (
        project.compose("rm", "-f", "-s", "db").ok().stdout
        == f"Going to remove {project.name}-db-1\n"
    )
    project.up("db")
    project.compose("create", "web").ok()
    assert "Network" not in project.compose("down", "web").ok().stderr
    assert f"Network {project.name}_default  Removed" in project.compose("down", "db").ok().stderr


def test_start_waits(make_project: MakeProject, busybox_image: str) -> None:
    text = SHORT.format(image=busybox_image)
    check = 'db: {healthcheck: {test: "test -e /ok", interval: 0.1s, retries: 1000}, '
    project = make_project(text.replace("db: {", check))
    project.compose("create", "db").ok()
    assert_refused(
        project.compose("start", "--wait", "--wait-timeout", "1", "db"),
        "application not healthy after 1s",
    )
    project.exec("db", "touch", "/ok").ok()
    waited = project.compose("start", "--wait", "--wait-timeout", "30", "db").ok().stderr
    assert f"Container {project.name}-db-1  Healthy" in waited
