"""The artifact of a project, as docker compose writes it."""

import json
from pathlib import Path

import pytest

from cntnr_compose.images.errors import AuthenticationNeeded, CopyFailed, PushFailed
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.artifact import (
    NoProject,
    PublishedFile,
    build_manifest,
    fetch_project,
    push_project,
)

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


class FakeRegistry:
    """A registry with one artifact, whose manifest tests change."""

    def __init__(self) -> None:
        self.tree = build_manifest(FILES, "1.1", 0)
        self.asked: list[str] = []

    def read_manifest(self, ref: str) -> bytes:
        self.asked.append(ref)
        return json.dumps(self.tree).encode()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    fake = FakeRegistry()
    monkeypatch.setattr(skopeo, "read_manifest", fake.read_manifest)
    return fake


def test_a_project_is_fetched_and_kept_by_digest(registry: FakeRegistry) -> None:
    [path] = fetch_project("oci://reg.io/a")
    assert registry.asked == ["reg.io/a:latest"]
    assert Path(path).read_bytes() == b"services: {}\n"
    assert sorted(one.name for one in Path(path).parent.iterdir()) == [
        "compose.yaml", "files.json", "x.env", "x.yaml",
    ]  # fmt: skip
    assert fetch_project("oci://reg.io/a") == (path,)
    registry.tree["annotations"] = {}
    assert fetch_project("oci://reg.io/a") != (path,)
    registry.tree = build_manifest(FILES, "1.0", 0)
    assert len(fetch_project("oci://reg.io/a")) == 1


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", ".env", "", "a/b", "files.json", "x" * 300, "a\n"]
)
def test_names_that_lead_elsewhere_are_not_used(registry: FakeRegistry, name: str) -> None:
    registry.tree["layers"][0]["annotations"]["com.docker.compose.file"] = name
    [path] = fetch_project("oci://reg.io/a")
    assert Path(path).name == "file-0.yaml"


def test_two_files_of_one_name_are_kept_apart(registry: FakeRegistry) -> None:
    registry.tree["layers"].append(registry.tree["layers"][0])
    assert [Path(path).name for path in fetch_project("oci://reg.io/a")] == [
        "compose.yaml", "3-compose.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"artifactType": "x"}, "something else"),
        ({"layers": []}, "no compose file"),
        ({"layers": [FILES[1].descriptor()]}, "no compose file"),
        ({"layers": [FILES[0].descriptor() | {"data": ""}]}, "not in its manifest"),
        ({"layers": [FILES[0].descriptor() | {"data": "%"}]}, "damaged"),
        ({"layers": [FILES[0].descriptor() | {"size": 1 << 40}]}, "too large"),
        ({"layers": [FILES[0].descriptor() | {"size": -1}]}, "too large"),
        ({"layers": [FILES[0].descriptor()] * 300}, "too large"),
        ({"config": None}, "no manifest"),
    ],
)
def test_what_is_no_project_is_refused(
    registry: FakeRegistry, changes: dict[str, object], why: str, tmp_path: Path
) -> None:
    registry.tree |= changes
    with pytest.raises(
        NoProject, match=f"oci://reg.io/a is not a published Compose project.*{why}"
    ):
        fetch_project("oci://reg.io/a")
    assert not list(tmp_path.rglob("*.yaml"))
