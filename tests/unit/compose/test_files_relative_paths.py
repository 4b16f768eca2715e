"""Relative paths of a tree, and what only looks like one."""

import pytest

from cntnr_compose.compose.files.relative_paths import resolve_paths


def resolved_image(name: str) -> str:
    tree = {"services": {"a": {"image": name}}}
    return str(resolve_paths(tree, "/project", "/home/me")["services"]["a"]["image"])


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("oci:./layout:box", "oci:/project/layout:box"),
        ("oci-archive:../box.tar:box", "oci-archive:/box.tar:box"),
        ("docker-archive:~/box.tar", "docker-archive:/home/me/box.tar"),
        ("dir:/elsewhere/box", "dir:/elsewhere/box"),
    ],
)
def test_an_image_in_a_file_is_named_by_its_whole_path(name: str, whole: str) -> None:
    assert resolved_image(name) == whole


@pytest.mark.parametrize("name", ["redis:7", "host:5000/app", "./odd", "docker://redis", "oci/box"])
def test_an_image_in_a_registry_is_left_alone(name: str) -> None:
    assert resolved_image(name) == name


def test_a_mounted_image_may_lie_in_a_file_too() -> None:
    mount = {"type": "image", "source": "oci:layout", "target": "/data"}
    tree = {"services": {"a": {"volumes": [mount]}}}
    resolved = resolve_paths(tree, "/project", "")["services"]["a"]["volumes"][0]
    assert resolved == {"type": "image", "source": "oci:/project/layout", "target": "/data"}
