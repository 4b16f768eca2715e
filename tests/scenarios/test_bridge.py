"""`bridge` runs transformations on the resolved file: images, here one made of busybox."""

import os

import pytest
import yaml

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused

NAME = "ours/transformer"
SCRIPT = """#!/bin/sh
set -e
[ "$LICENSE_AGREEMENT" = true ]
cp /in/compose.yaml /out/model.yaml
cat /templates/* >/out/templates
id -u >/out/user
echo converted; echo warned >&2
"""
TRANSFORMER = f"""
services:
  t: {{image: {NAME}, build: .}}
"""
DOCKERFILE = """\
FROM busybox
LABEL com.docker.compose.bridge=transformation
COPY templates /templates
COPY run /run
ENTRYPOINT ["/run"]
"""
SHOP = """
services:
  web:
    image: busybox
    command: echo $$HOME
    ports: ["8080:80"]
    secrets: [password, token]
    configs: [motd]
  own:
    build: {context: ., dockerfile_inline: "FROM busybox\\nEXPOSE 99/tcp"}
secrets: {password: {file: ./password}, token: {environment: TOKEN}}
configs: {motd: {content: "a $$ b"}}
"""


@pytest.fixture
def transformer(make_project: MakeProject, busybox_image: str) -> Project:
    """Build the transformation; its folder stays."""
    assert busybox_image
    project = make_project(
        TRANSFORMER,
        files={"Dockerfile": DOCKERFILE, "run": SCRIPT, "templates/a": "A\n", "templates/b": "B\n"},
    )
    project.compose("build").ok()
    return project


def test_the_resolved_file_is_converted(
    make_project: MakeProject, transformer: Project, user: User
) -> None:
    assert transformer
    shop = make_project(SHOP, files={"password": "hunter2", "ours/x": "mine\n"})
    env = {"TOKEN": "t0$ken"}
    ran = shop.compose("bridge", "convert", "-t", NAME, env=env).ok()
    assert ran.stdout == "converted\n"
    assert "warned\n" in ran.stderr
    assert f"image {shop.name}-own for service own not found locally" in ran.stderr
    out = shop.folder / "out"
    tree = yaml.safe_load((out / "model.yaml").read_text())
    assert (tree["name"], sorted(tree["services"])) == (shop.name, ["own", "web"])
    assert tree["services"]["web"]["expose"] == ["80"]
    assert tree["services"]["web"]["command"] == ["echo", "$HOME"]
    assert tree["services"]["own"]["image"] == f"{shop.name}-own"
    assert tree["secrets"]["password"]["content"] == "hunter2"
    assert tree["secrets"]["token"]["content"] == "t0$ken"
    assert tree["configs"]["motd"]["content"] == "a $ b"
    assert (out / "templates").read_text() == "A\nB\n"
    # Its files are ours.
    assert (out / "user").read_text() == "0\n"
    assert (out / "user").stat().st_uid == user.ids()[0].start
    assert shop.compose("ls", "-aq").ok().stdout == ""
    # A folder of results is replaced; ports of the image that is built now are there.
    (out / "stale").touch()
    os.chown(out / "stale", *(user.ids()[0].start,) * 2)
    shop.compose("build").ok()
    shop.compose("bridge", "convert", "--transformation", NAME, "--templates", "ours", env=env).ok()
    assert not (out / "stale").exists()
    assert (out / "templates").read_text() == "mine\n"
    assert 'expose:\n      - "99"' in (out / "model.yaml").read_text()


def test_several_run_one_after_the_other_and_the_first_failure_ends(
    make_project: MakeProject, transformer: Project
) -> None:
    assert transformer
    failing = make_project(
        "services:\n  f:\n    image: ours/failing\n    build:\n      context: .\n"
        "      dockerfile_inline: |\n        FROM busybox\n"
        '        CMD ["sh", "-c", "ls /out; echo >&2 no; exit 7"]\n'
    )
    failing.compose("build").ok()
    shop = make_project("services: {a: {image: busybox}}")
    ran = shop.compose("bridge", "convert", "-o", "far/there", "-t", NAME, "-t", "ours/failing")
    assert_refused(ran, "transformation ours/failing ended with status 7", code=7)
    assert ran.stdout == "converted\nmodel.yaml\ntemplates\nuser\n"
    assert (shop.folder / "far/there/user").exists()
    ran = shop.compose("bridge", "convert", "-t", "ours/failing", "-t", NAME)
    assert (ran.returncode, ran.stdout) == (7, "")


def test_nothing_of_somebody_is_deleted(make_project: MakeProject, transformer: Project) -> None:
    assert transformer
    shop = make_project("services: {a: {image: busybox}}", files={"out/mine": "x"})
    words = ("bridge", "convert", "-t", NAME)
    assert_refused(shop.compose(*words), "deletion of output directory", "was not confirmed")
    assert_refused(shop.compose(*words, "-o", "."), "was not confirmed")
    assert_refused(shop.compose(*words, "-o", "compose.yaml"), "compose.yaml: ")
    assert_refused(shop.compose(*words, "--templates", "none"), "none is no folder")
    shown = shop.compose("bridge", "--dry-run", "convert", "-t", NAME).ok()
    assert f"DRY-RUN MODE -  Transformation {NAME}  Exited" in shown.stderr
    assert (shop.folder / "out/mine").exists()
    shop.compose(*words, "--yes").ok()
    assert not (shop.folder / "out/mine").exists()


def test_what_cannot_be_converted_is_told(make_project: MakeProject, transformer: Project) -> None:
    assert transformer
    shop = make_project(
        "services: {a: {image: busybox, secrets: [s]}}\nsecrets: {s: {file: ./s}}\n"
    )
    words = ("bridge", "convert", "-t", NAME)
    assert_refused(shop.compose(*words), 'cannot convert secret "s"', "No such file")
    (shop.folder / "s").write_bytes(b"\xff\xfe")
    assert_refused(shop.compose(*words), 'cannot convert secret "s"', "it is not text")
    shop.write("s", "fine")
    assert_refused(shop.compose("bridge", "convert", "-t", "ours/none"), "ours/none")
    assert not (shop.folder / "out").exists()


def test_transformations_are_listed_and_copied(
    make_project: MakeProject, transformer: Project
) -> None:
    listed = transformer.compose("bridge", "transformations", "ls").ok().stdout
    assert f"{NAME}  " in listed
    words = ("bridge", "transformations", "list", "--format", "json")
    row = next(
        r for r in transformer.compose(*words).ok().json_lines if f"{NAME}:latest" in r["RepoTags"]
    )
    assert row["Labels"]["com.docker.compose.bridge"] == "transformation"
    assert row["Id"][7:19] in listed
    names = transformer.compose("bridge", "transformations", "list", "-q").ok().stdout
    assert f"{NAME}:latest\n" in names
    for dry in (
        ("bridge", "transformations", "--dry-run", "list", "-q"),
        ("bridge", "transformations", "list", "--dry-run", "-q"),
    ):
        assert transformer.compose(*dry).ok().stdout == names
    dry = ("bridge", "transformations", "create", "--dry-run", "mine", "--from", NAME)
    transformer.compose(*dry).ok()
    assert not (transformer.folder / "mine").exists()
    created = transformer.compose(
        "bridge", "transformations", "create", "mine", "--from", NAME
    ).ok()
    folder = transformer.folder / "mine"
    assert created.stdout == f'Transformer created in "{folder}"\n'
    assert (folder / "templates/a").read_text() == "A\n"
    assert "FROM docker/compose-bridge-transformer\n" in (folder / "Dockerfile").read_text()
    again = transformer.compose("bridge", "transformations", "create", "mine", "-f", NAME)
    assert_refused(again, f"output folder {folder} already exists")
    empty = transformer.compose("bridge", "transformations", "create", "none", "-f", "busybox")
    assert_refused(empty, "/templates")
    assert not (transformer.folder / "none").exists()
    assert transformer.compose("ls", "-aq").ok().stdout == ""
