"""What is asked before a project is published."""

import pytest

from cntnr_compose.cli.flows.images.publish_checks import (
    EnvironmentNotAllowed,
    OnlyBuilds,
    bind_mounts_question,
    check_builds,
    environment_question,
    secrets_question,
)
from cntnr_compose.images.transports.artifact import PublishedFile
from cntnr_compose.model.project import FileSource, Project
from cntnr_compose.model.service import Build, Mount, Service

GITHUB = "ghp_0123456789abcdefghijABCDEFGHIJ012345"


def project(**service: object) -> Project:
    web = Service(name="web", **service)  # type: ignore[arg-type]
    return Project(name="p", working_dir="/p", services={"web": web})


def asked(key: str, value: str) -> str:
    tree = {"services": {"web": {"environment": {key: value}}}}
    return secrets_question([], [tree])


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("A", "AKIAIOSFODNN7EXAMPLE", "AWS Client ID"),
        ("A", f"x {GITHUB}", "Github authentication"),
        ("A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3", "JSON Web Token"),
        ("A", "-----BEGIN RSA PRIVATE KEY-----\nMII", "Private Key"),
        ("A", "postgres://u:p4ss@db/x", "URL with password"),
        ("API_KEY", "0123456789abcdef", "Keyword Detector"),
        ("DB_PASSWORD", "hunter2", "Keyword Detector"),
        ("GITHUB_TOKEN", "abc", "Keyword Detector"),
    ],
)
def test_secrets_are_found_and_not_shown(key: str, value: str, kind: str) -> None:
    question = asked(key, value)
    assert f'{kind}\n"services.web.environment.{key}": {value[:4]}' in question
    assert value not in question or len(value) <= 4
    assert kind in secrets_question(
        [], [{"services": {"web": {"environment": [f"{key}={value}"]}}}]
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("TOKEN", ""),
        ("MONKEY", "banana"),
        ("URL", "postgres://db/x"),
        ("URL", "postgres://u:${PW}@db/x"),
        ("SECRET_ROTATION", "true"),
    ],
)
def test_references_are_no_secrets(key: str, value: str) -> None:
    assert asked(key, value) == ""


def test_secrets_are_looked_for_in_what_is_published() -> None:
    env = PublishedFile(name="x.env", content=f"T={GITHUB}\n".encode(), is_env_file=True)
    assert '"T": ghp_…' in secrets_question([env], [])
    tree = {"configs": {"c": {"content": f"token {GITHUB}"}}}
    assert '"configs.c.content": toke…' in secrets_question([], [tree])
    assert secrets_question([], [{"secrets": {"password": {"file": "./x"}}}]) == ""


def test_builds_without_a_name_are_refused() -> None:
    with pytest.raises(OnlyBuilds, match="only contains a build section") as raised:
        check_builds(project(build=Build()))
    assert str(raised.value).endswith(':\n- "web"')
    check_builds(project(build=Build(), image="i"))


def test_bind_mounts_are_asked_about() -> None:
    mounts = (
        Mount(type="bind", source="/a", target="/b", read_only=True),
        Mount(type="volume", source="v", target="/v"),
    )
    assert "web\n/a:/b:ro\nAre you ok" in bind_mounts_question(project(volumes=mounts))
    assert bind_mounts_question(project(volumes=mounts[1:])) == ""


def test_variables_take_a_flag_and_a_yes() -> None:
    with_variables = project(environment={"A": "1", "B": None, "DB_PASSWORD": "hunter2"})
    with pytest.raises(EnvironmentNotAllowed, match='service "web" has environment') as raised:
        environment_question(with_variables, [], with_env=False)
    assert "--with-env" in str(raised.value)
    question = environment_question(with_variables, [], with_env=True)
    assert "Service/Config  web\nA=1\nB=\nDB_PASSWORD=hunt…\nAre you ok" in question
    trees = [{"services": {"web": {"env_file": "x"}}}]
    with pytest.raises(EnvironmentNotAllowed, match="has env_file declared"):
        environment_question(project(), trees, with_env=False)
    config = Project(
        name="p",
        working_dir="/p",
        configs={"c": FileSource(key="c", name="p_c", environment="HOME")},
    )
    with pytest.raises(EnvironmentNotAllowed, match='config "p_c" is declare as an environment'):
        environment_question(config, [], with_env=False)
    assert environment_question(project(), [], with_env=False) == ""
