"""References in published files are replaced where they stand, whatever the style of the YAML."""

from pathlib import Path

import pytest

from cntnr_compose.cli.flows.images.published_files import (
    LocalInclude,
    ReferenceUnclear,
    collect_files,
)
from cntnr_compose.model.project import Project


def collect(folder: Path, text: str, **files: str) -> dict[str, str]:
    for name, content in {"compose": text, **files}.items():
        (folder / f"{name}.yaml").write_text(content)
    (folder / "a.env").write_text("A=1\n")
    project = Project(
        name="p", working_dir=str(folder), files=(str(folder / "compose.yaml"),),
        environment={"KIND": "a"},
    )  # fmt: skip
    published = collect_files(project, {}, with_env=True)
    return {file.name: file.content.decode() for file in published}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("env_file: a.env", "env_file: {}"),
        ("env_file: ./a.env # a.env", "env_file: {} # a.env"),
        ("env_file: 'a.env'", "env_file: '{}'"),
        ('env_file:\n      - path: "a.env"\n', 'env_file:\n      - path: "{}"\n'),
        ("env_file:\n      - ${KIND}.env", "env_file:\n      - {}"),
        ("env_file: [a.env]\n    labels: {x: a.env}", "env_file: [{}]\n    labels: {x: a.env}"),
    ],
)  # fmt: skip
def test_an_env_file_is_named_anew(tmp_path: Path, before: str, after: str) -> None:
    text = "services:\n  web:\n    image: a.env\n    "
    files = collect(tmp_path, text + before + "\n")
    [name] = [one for one in files if one.endswith(".env")]
    assert files["compose.yaml"] == text + after.replace("{}", name) + "\n"
    assert files[name] == "A=1\n"


def test_a_file_that_several_extend_is_published_once(tmp_path: Path) -> None:
    files = collect(
        tmp_path,
        "services:\n  a: {extends: {file: file.yaml, service: x}}\n"
        "  b: {extends: {service: x, file: file.yaml}}\n  c: {extends: a}\n  d: {extends: {service: a}}\n",
        file="services: {x: {image: i, env_file: a.env}}\n",
    )
    [name] = [one for one in files if one.endswith(".yaml") and one != "compose.yaml"]
    assert files["compose.yaml"].count(name) == 2
    assert "file.yaml" not in files["compose.yaml"]
    assert len(files) == 3


def test_what_cannot_be_replaced_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ReferenceUnclear, match=r"compose\.yaml:1: cannot publish the reference to a\.env"
    ):
        collect(tmp_path, 'services: {web: {env_file: "\\x61.env"}}\n')
    with pytest.raises(LocalInclude):
        collect(tmp_path, "include: [{path: [other.yaml]}]\n")
    assert collect(tmp_path, "include: ['oci://reg.io/a:1']\n")
