"""The labels that other tools read."""

from cntnr_compose import __version__
from cntnr_compose.core.values import replace
from cntnr_compose.model.service import Build, Dependency
from cntnr_compose.reconcile import labels
from tests.unit.reconcile.world import HEALTHY, project, service

WEB = service("web", {"db": HEALTHY, "cache": Dependency(restart=True)}, labels={"tier": "front"})
PROJECT = project(WEB, service("db"), service("cache"))


def test_a_container_has_those_of_docker_compose_over_the_users() -> None:
    spoofed = replace(WEB, labels={"tier": "front", "com.docker.compose.service": "mine"})
    written = labels.container(
        PROJECT, spoofed, number=2, config_hash="abc", image_id="sha256:1", replaces="id1"
    )
    assert written == {
        "tier": "front",
        "com.docker.compose.project": "p",
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "2",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": "abc",
        "com.docker.compose.image": "sha256:1",
        "com.docker.compose.depends_on": "db:service_healthy:false,cache:service_started:true",
        "com.docker.compose.version": __version__,
        "com.docker.compose.project.working_dir": "/work",
        "com.docker.compose.project.config_files": "/work/compose.yaml",
        "com.docker.compose.replace": "id1",
    }


def test_files_of_variables_are_named_where_they_were_given() -> None:
    named = replace(PROJECT, env_files=("/work/a.env", "/work/b.env"))
    written = labels.container(named, WEB, number=1, config_hash="", image_id="")
    assert written["com.docker.compose.project.environment_file"] == "/work/a.env,/work/b.env"


def test_a_one_off_has_a_slug_and_no_number() -> None:
    written = labels.oneoff(PROJECT, WEB, slug="f00", config_hash="abc", image_id="")
    assert written["com.docker.compose.oneoff"] == "True"
    assert written["com.docker.compose.slug"] == "f00"
    assert "com.docker.compose.container-number" not in written


def test_networks_and_volumes_carry_key_project_and_hash() -> None:
    network = replace(PROJECT.networks["default"], labels={"a": "b"})
    assert labels.network(PROJECT, network, "h") == {
        "a": "b",
        "com.docker.compose.network": "default",
        "com.docker.compose.project": "p",
        "com.docker.compose.version": __version__,
        "com.docker.compose.config-hash": "h",
    }
    volume = labels.volume(PROJECT, PROJECT.volumes["data"], "h")
    assert volume["com.docker.compose.volume"] == "data"


def test_a_built_image_carries_the_labels_of_its_build_and_its_service() -> None:
    built = replace(WEB, build=Build(labels={"a": "b"}))
    assert labels.built_image(PROJECT, built) == {
        "a": "b",
        "com.docker.compose.project": "p",
        "com.docker.compose.service": "web",
        "com.docker.compose.version": __version__,
    }
