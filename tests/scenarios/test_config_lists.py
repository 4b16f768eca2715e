"""Lists of `config` show the project as its flags say; its hash is the one on containers."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project


def lines(project: Project, *words: str) -> list[str]:
    """Return what `config` prints, sorted."""
    env = {"TAG": "one", "PORT": "80"}
    return sorted(project.compose("config", *words, env=env).ok().stdout.splitlines())


def test_lists_respect_the_flags(make_project: MakeProject) -> None:
    project = make_project(
        """
        services:
          web:
            image: shop:${TAG}
            ports: ["${PORT}:80"]
            volumes: ["pages:/pages"]
          built: {build: ., networks: [back]}
          hidden: {image: other, profiles: [debug], networks: [debug], volumes: ["dump:/dump"]}
        networks: {back: {}, debug: {}, spare: {}}
        volumes: {pages: {}, dump: {}, spare: {}}
        """,
        name="lists",
    )
    assert lines(project, "--services") == ["built", "web"]
    assert lines(project, "--networks") == ["back", "default"]
    assert lines(project, "--volumes") == ["pages"]
    assert lines(project, "--images") == ["lists-built", "shop:one"]
    flag = "--no-interpolate"
    assert lines(project, flag, "--services") == ["built", "hidden", "web"]
    assert lines(project, flag, "--networks") == ["back", "default"]
    assert lines(project, flag, "--volumes") == ["pages"]
    assert lines(project, flag, "--images") == ["lists-built", "shop:${TAG}"]
    assert lines(project, "--no-normalize", "--networks") == ["back"]
    refused = project.compose("config", flag, "--hash", "web")
    assert refused.returncode == 1
    assert "services.web.ports.0" in refused.stderr


def test_hash_is_that_of_the_container(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        f"""
        services:
          web: {{image: "{busybox_image}", env_file: web.env, environment: {{B: "2"}}, scale: 2}}
          db: {{image: "{busybox_image}", profiles: [db]}}
        """,
        files={"web.env": "A=1\n"},
    )
    project.compose("create").ok()
    label = "com.docker.compose.config-hash="
    hashes = {
        word.removeprefix(label)
        for row in project.ps()
        for word in row["Labels"].split(",")
        if word.startswith(label)
    }
    (digest,) = hashes
    assert lines(project, "--hash", "web") == [f"web {digest}"]
    assert lines(project, "--hash", "*") == [f"web {digest}"]
    plain = lines(project, "--no-env-resolution", "--hash", "web")
    assert plain != [f"web {digest}"]
    project.write("web.env", "A=3\n")
    assert lines(project, "--hash", "web") not in ([f"web {digest}"], plain)
    assert lines(project, "--no-env-resolution", "--hash", "web") == plain
