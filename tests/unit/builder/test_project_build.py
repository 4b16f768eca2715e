"""Services are built after those whose images they need."""

from pathlib import Path

import pytest

from cntnr_compose.builder import project_build
from cntnr_compose.builder.project_build import BuildCycle, build_services
from cntnr_compose.builder.request import BuildRequest, BuiltImage
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Service


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[BuildRequest]]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    built: list[list[BuildRequest]] = []

    def build(requests: list[BuildRequest], **_: object) -> dict[str, BuiltImage]:
        built.append(requests)
        return {request.service: BuiltImage(id=f"sha256:{request.service}") for request in requests}

    monkeypatch.setattr(project_build, "build_images", build)
    return built


def project(folder: Path, **dockerfiles: str) -> Project:
    services = {
        name: Service(
            name=name, image=f"me/{name}", build=Build(dockerfile_inline=text, context=str(folder))
        )
        for name, text in dockerfiles.items()
    }
    return Project(name="p", working_dir=str(folder), services=services)


def names(groups: list[list[BuildRequest]]) -> list[list[str]]:
    return [sorted(request.service for request in group) for group in groups]


def test_an_image_is_built_after_those_in_its_dockerfile(
    tmp_path: Path, groups: list[list[BuildRequest]]
) -> None:
    shop = project(
        tmp_path,
        top="FROM me/middle\nCOPY --from=me/tools:latest /a /b",
        middle="FROM me/base:latest",
        tools="FROM scratch",
        base="FROM scratch",
        own="FROM me/own",
    )
    ids = build_services(shop, tuple(shop.services), emit=lambda _: None)
    assert names(groups) == [["base", "own", "tools"], ["middle"], ["top"]]
    assert ids["top"] == "sha256:top"
    # What was just built is taken, whatever a registry has by that name.
    (top,) = groups[-1]
    assert set(top.context_images) == {"me/middle", "me/tools:latest"}


def test_a_base_that_is_not_here_is_built_without_being_asked_for(
    tmp_path: Path, groups: list[list[BuildRequest]]
) -> None:
    shop = project(tmp_path, web="FROM me/base", base="FROM scratch", other="FROM scratch")
    build_services(shop, ("web",), emit=lambda _: None)
    assert names(groups) == [["base"], ["web"]]


def test_circles_are_refused_with_the_names_in_them(
    tmp_path: Path, groups: list[list[BuildRequest]]
) -> None:
    shop = project(
        tmp_path,
        a="FROM me/b",
        b="FROM scratch\nCOPY --from=me/c / /",
        c="FROM me/b",
        d="FROM me/a",
    )
    with pytest.raises(BuildCycle) as caught:
        build_services(shop, ("d",), emit=lambda _: None)
    assert str(caught.value) == "cannot build b, c: each needs another's image"
    assert groups == []
