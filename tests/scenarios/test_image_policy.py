"""Policies: which images may be pulled, by every command that pulls, and what is signed."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User
from tests.scenarios.registry import Registry, make_image

ANYTHING = [{"type": "insecureAcceptAnything"}]
REJECT = [{"type": "reject"}]
SERVICES = """
services:
  box: {image: 'busybox:1', command: sleep 1000, stop_signal: KILL}
  built: {build: .}
"""
FILES = {"Dockerfile": "FROM busybox:latest\nRUN true\n"}
NO = "cannot get image busybox:{tag}: the policy {policy} does not accept it"


@pytest.fixture(autouse=True)
def no_images(user: User) -> Iterator[None]:
    """Begin without images: what is there need not be pulled."""
    shutil.rmtree(user.data / "images", ignore_errors=True)
    yield
    for path in (".config/cntnr/config.toml", ".config/containers/policy.json"):
        (user.home / path).unlink(missing_ok=True)


def write_policy(project: Project, name: str, tree: dict[str, Any]) -> str:
    project.write(name, json.dumps(tree))
    project.user.own(project.folder)
    return str(project.folder / name)


def with_policy(project: Project, policy: str, *words: str) -> Result:
    return project.cntnr("--image-policy", policy, "compose", *words)


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        (("pull", "box"), "1"),
        (("up", "-d", "box"), "1"),
        (("create", "box"), "1"),
        (("run", "--rm", "box", "true"), "1"),
        (("build", "built"), "latest"),
        (("up", "-d", "--build", "built"), "latest"),
    ],
)
def test_every_command_that_pulls_is_held_to_the_policy(
    make_project: MakeProject, registry: Registry, words: tuple[str, ...], tag: str
) -> None:
    project = make_project(SERVICES, files=FILES)
    refused = with_policy(project, "reject", *words)
    assert refused.returncode == 1, refused
    assert NO.format(tag=tag, policy="reject") in refused.stderr
    assert "Traceback" not in refused.stderr
    policy = write_policy(project, "p.json", {"default": REJECT})
    refused = with_policy(project, policy, *words)
    assert NO.format(tag=tag, policy=policy) in refused.stderr
    assert not list((project.user.data / "images").rglob("blobs/sha256/*"))
    policy = write_policy(
        project,
        "q.json",
        {"default": REJECT, "transports": {"docker": {"docker.io/library/busybox": ANYTHING}}},
    )
    with_policy(project, policy, *words).ok()


def test_what_is_there_needs_no_policy(make_project: MakeProject, registry: Registry) -> None:
    project = make_project(SERVICES, files=FILES)
    with_policy(project, "insecure", "pull", "box").ok()
    with_policy(project, "reject", "up", "-d", "box").ok()
    assert project.states() == {"p-box-1".replace("p-", f"{project.name}-"): "running"}


def test_where_the_policy_comes_from(make_project: MakeProject, registry: Registry) -> None:
    project = make_project(SERVICES, files=FILES)
    user = project.user
    users_own = user.home / ".config/containers/policy.json"
    users_own.write_text(json.dumps({"default": REJECT}))
    user.own(user.home / ".config")
    refused = project.compose("pull", "box")
    assert NO.format(tag="1", policy=users_own) in refused.stderr
    settings = user.home / ".config/cntnr/config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text('[images]\npolicy = "insecure"\n')
    user.own(user.home / ".config")
    project.compose("pull", "box").ok()
    settings.write_text('[images]\npolicy = "reject"\n')
    refused = project.compose("pull", "box")
    assert NO.format(tag="1", policy="reject") in refused.stderr
    with_policy(project, "insecure", "pull", "box").ok()
    settings.write_text("[images]\npolicy = 1\n")
    refused = project.compose("pull", "box")
    assert f"{settings}:2: images.policy: it is no text" in refused.stderr


def test_a_policy_that_is_none_is_told(make_project: MakeProject) -> None:
    project = make_project(SERVICES)
    missing = with_policy(project, "missing.json", "pull")
    assert missing.returncode == 1
    assert f"cannot use the image policy {project.folder}/missing.json: No such file" in (
        missing.stderr
    )
    project.write("odd.json", '{"default": [{"type": "unheard of"}]}')
    odd = with_policy(project, "odd.json", "pull", "box")
    assert odd.returncode == 1
    assert "unheard of" in odd.stderr


def test_archives_are_held_to_the_policy_of_archives(make_project: MakeProject) -> None:
    project = make_project("services: {a: {image: 'oci-archive:box.tar', command: 'true'}}")
    layout = make_image("busybox")
    project.user.run(
        "skopeo", "--insecure-policy", "copy", "-q", f"oci:{layout}:busybox",
        f"oci-archive:{project.folder}/box.tar",
    ).ok()  # fmt: skip
    scopes: dict[str, Any] = {"oci": {"": ANYTHING}}
    policy = write_policy(project, "p.json", {"default": REJECT, "transports": scopes})
    refused = with_policy(project, policy, "pull")
    assert f"the policy {policy} does not accept it" in refused.stderr
    scopes = {"oci-archive": {str(project.folder): ANYTHING}}
    policy = write_policy(project, "q.json", {"default": REJECT, "transports": scopes})
    with_policy(project, policy, "pull").ok()


@contextlib.contextmanager
def signing_key(user: User) -> Iterator[dict[str, str]]:
    """Make a key to sign with; yield the environment in which gpg has it."""
    home = user.base / "gpg"
    home.mkdir(mode=0o700)
    user.own(home)
    env = {"GNUPGHOME": str(home)}
    try:
        user.run(
            "gpg", "--batch", "--passphrase", "", "--quick-gen-key", "lab@example.org", "rsa2048",
            env=env,
        ).ok()  # fmt: skip
        yield env
    finally:
        user.run("gpgconf", "--kill", "all", env=env)
        shutil.rmtree(home)


def push_signed(project: Project, env: dict[str, str], name: str, form: str) -> None:
    """Push an image with a health check, signed, in a form of manifest."""
    folder, user = project.folder, project.user
    (folder / "registries.d").mkdir(exist_ok=True)
    places = f"default-docker: {{sigstore-staging: 'file://{folder}/signatures'}}\n"
    project.write("registries.d/default.yaml", places)
    user.own(folder)
    user.run(
        "skopeo", "--registries.d", str(folder / "registries.d"), "--insecure-policy", "copy",
        "-q", "--dest-tls-verify=false", "--format", form, "--sign-by", "lab@example.org",
        f"oci:{make_image('busybox')}:busybox", f"docker://{name}", env=env,
    ).ok()  # fmt: skip


@contextlib.contextmanager
def looked_up_signatures(user: User, folder: Path) -> Iterator[None]:
    """Have signatures looked for in a folder."""
    settings = user.home / ".config/containers/registries.d"
    settings.mkdir()
    places = f"default-docker: {{sigstore: 'file://{folder}/signatures'}}\n"
    (settings / "default.yaml").write_text(places)
    user.own(settings)
    try:
        yield
    finally:
        shutil.rmtree(settings)


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_signed_images_are_pulled_and_others_refused(
    make_project: MakeProject, registry: Registry, form: str
) -> None:
    signed, unsigned = (f"{registry.address}/{form}/{name}:1" for name in ("signed", "unsigned"))
    project = make_project(
        f"services:\n  signed: {{image: '{signed}', command: 'true'}}\n"
        f"  unsigned: {{image: '{unsigned}', command: 'true'}}\n"
    )
    registry.push(make_image("busybox"), "busybox", f"{form}/unsigned:1")
    with signing_key(project.user) as env, looked_up_signatures(project.user, project.folder):
        push_signed(project, env, signed, form)
        project.user.run(
            "gpg", "--export", "-o", str(project.folder / "key.gpg"), "lab@example.org", env=env
        ).ok()
        key = {"type": "signedBy", "keyType": "GPGKeys", "keyPath": f"{project.folder}/key.gpg"}
        policy = write_policy(project, "p.json", {"default": [key]})
        with_policy(project, policy, "pull", "signed").ok()
        assert (
            with_policy(project, policy, "run", "--rm", "signed", "echo", "hi").ok().stdout
            == "hi\n"
        )
        refused = with_policy(project, policy, "pull", "unsigned")
    assert refused.returncode == 1
    assert f"the policy {policy} does not accept it (A signature was required" in refused.stderr
