"""The artifact of a project, as docker compose writes it."""

import json
from pathlib import Path

import pytest

from cntnr_compose.images import skopeo
from cntnr_compose.images.artifact import PublishedFile, build_manifest, push_project
from cntnr_compose.images.errors import AuthenticationNeeded, CopyFailed, PushFailed

FILES = [
    PublishedFile(name="compose.yaml", content=b"services: {}\n"),
    PublishedFile(name="x.yaml", content=b"a", is_extended=True),
    PublishedFile(name="x.env", content=b"b", is_env_file=True),
]


def test_media_types_and_annotations_are_docker_compose_s() -> None:
    manifest = build_manifest(FILES, "1.1", 0)
    assert list(manifest) == [
        "schemaVersion", "mediaType", "artifactType", "config", "layers", "annotations",
    ]  # fmt: skip
    compose, extended, env = manifest["layers"]
    assert (
        compose["mediaType"] == extended["mediaType"] == "application/vnd.docker.compose.file+yaml"
    )
    assert env["mediaType"] == "application/vnd.docker.compose.envfile"
    assert compose["data"] == "c2VydmljZXM6IHt9Cg=="
    assert compose["annotations"]["com.docker.compose.file"] == "compose.yaml"
    assert extended["annotations"]["com.docker.compose.extends"] == "true"
    assert env["annotations"]["com.docker.compose.envfile"] == "x.env"
    assert manifest["annotations"] == {"org.opencontainers.image.created": "1970-01-01T00:00:00Z"}


@pytest.fixture
def refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Return the errors that the next pushes end with; each push is written to ``tmp_path``."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    errors: list[Exception] = []
    monkeypatch.setattr(skopeo, "push_artifact", lambda *_, **__: raise_first(errors))
    return errors


def raise_first(errors: list[Exception]) -> None:
    if errors:
        raise errors.pop(0)


def test_an_old_registry_gets_the_old_form(refusals: list[Exception]) -> None:
    assert json.loads(push_project("reg.io/a:1", FILES))["artifactType"]
    refusals.append(CopyFailed("reg.io/a:1", "manifest invalid"))
    assert "artifactType" not in json.loads(push_project("reg.io/a:1", FILES))


def test_what_is_asked_for_is_not_changed(refusals: list[Exception]) -> None:
    refusals.append(CopyFailed("reg.io/a:1", "manifest invalid"))
    with pytest.raises(PushFailed, match="manifest invalid"):
        push_project("reg.io/a:1", FILES, version="1.1")
    refusals.append(AuthenticationNeeded("reg.io/a:1"))
    with pytest.raises(PushFailed, match="wants a login"):
        push_project("reg.io/a:1", FILES)
    assert not refusals
