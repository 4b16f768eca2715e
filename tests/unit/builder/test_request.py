"""`build:` of a service to a build request, and what is refused."""

from pathlib import Path

import pytest

from cntnr_compose.builder.create_request import context_services, create_request
from cntnr_compose.builder.project_build import define_build
from cntnr_compose.builder.request import BuildOptions, BuildRequest, BuildSecret
from cntnr_compose.builder.sources.ssh_sources import CannotBuild
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.model.project import FileSource, Project
from cntnr_compose.model.service import Build, FileMount, Service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "web/Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def request(folder: Path, **build: object) -> BuildRequest:
    args = build.pop("over", {})
    service = Service(
        name="web",
        image=str(build.pop("image", "")),
        build=Build(**{"context": "web", **build}),  # type: ignore[arg-type]
    )
    project = Project(
        name="p",
        working_dir=str(folder),
        services={"web": service, "api": Service(name="api", image="me/api")},
        secrets={
            "s": FileSource(key="s", file="/s"),
            "t": FileSource(key="t", environment="T"),
            "u": FileSource(key="u", environment="U"),
        },
        environment={"T": "value", "FROM_ENV": "2"},
    )
    return create_request(define_build(project, service), BuildOptions(args=args))  # type: ignore[arg-type]


def refused(folder: Path, **build: object) -> str:
    with pytest.raises(CannotBuild) as caught:
        request(folder, **build)
    return str(caught.value)


def test_names_labels_and_place(folder: Path) -> None:
    built = request(folder, tags=("other:1",), labels={"mine": "1"})
    assert built.names == ("docker.io/library/p-web:latest", "docker.io/library/other:1")
    assert (built.context, built.file, built.text) == (
        str(folder / "web"),
        "Dockerfile",
        "FROM scratch\n",
    )
    assert built.labels["mine"] == "1"
    assert built.labels["com.docker.compose.project"] == "p"
    assert request(folder, image="me/app:2").names == ("docker.io/me/app:2",)


def test_arguments_come_from_the_file_the_environment_and_the_command_line(folder: Path) -> None:
    file_args = {"A": "1", "FROM_ENV": None, "NOWHERE": None, "B": "file"}
    assert request(folder, args=file_args, over={"B": "line"}).args == {
        "A": "1", "FROM_ENV": "2", "B": "line",
    }  # fmt: skip


def test_a_dockerfile_has_its_own_ignore_file_or_that_of_the_context(folder: Path) -> None:
    (folder / "web/.dockerignore").write_text("# no\n*.md\n")
    assert request(folder).ignore == ("*.md",)
    (folder / "web/sub").mkdir()
    (folder / "web/sub/Other").write_text("FROM a")
    (folder / "web/sub/Other.dockerignore").write_text("*.txt")
    assert request(folder, dockerfile="sub/Other").ignore == ("*.txt",)
    inline = request(folder, dockerfile_inline="FROM b")
    assert (inline.file, inline.text, inline.ignore) == ("dockerfile_inline", "FROM b", ("*.md",))


def test_contexts_are_folders_images_and_other_services(folder: Path) -> None:
    contexts = {"lib": "lib", "img": "docker-image://redis:7", "other": "service:api"}
    built = request(folder, additional_contexts=contexts)
    assert built.contexts == {"lib": str(folder / "lib")}
    assert built.context_images == {"img": "redis:7", "other": "me/api"}
    assert context_services(Build(additional_contexts=contexts)) == ("api",)


def test_secrets_are_files_or_values(folder: Path) -> None:
    mounts = (FileMount(source="s"), FileMount(source="t", target="tok", uid="5", mode=0o440))
    assert request(folder, secrets=mounts).secrets == (
        BuildSecret(id="s", file="/s"), BuildSecret(id="tok", content="value", uid="5", mode=0o440),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ({"context": "nowhere"}, "the build context {}/nowhere does not exist"),
        ({"context": "web/Dockerfile"}, ("the build context {}/web/Dockerfile is neither a folder nor an "
         "archive")),
        ({"context": "s3://x"}, "the build context s3://x is of no kind that is known"),
        ({"context": "https://x.test/a.git?ref=a#b"}, ('the build context https://x.test/a.git?ref=a#b: ref '
         'conflicts: "b" vs "a"')),
        ({"dockerfile": "Nope"}, "failed to read dockerfile: {}/web/Nope does not exist"),
        ({"platforms": ("linux/s390x",)}, f"cannot build for linux/s390x: this machine is {host_platform()}"),
        ({"network": "mars"}, 'unsupported network "mars"'),
        ({"additional_contexts": {"x": "nope"}}, "the additional context x: {}/nope does not exist"),
        ({"additional_contexts": {"x": "oci-layout://a@sha256:b"}}, ("the additional context x: an image of "
         "a layout is named by its tag")),
        ({"secrets": (FileMount(source="z"),)}, "undefined secret z"),
        ({"secrets": (FileMount(source="u"),)}, "the secret u has neither file nor value"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(folder: Path, build: dict[str, object], message: str) -> None:
    assert refused(folder, **build) == f"cannot build web: {message.format(folder)}"


def test_the_platform_of_this_machine_is_fine(folder: Path) -> None:
    assert request(folder, platforms=(host_platform(),)).platform == host_platform()
