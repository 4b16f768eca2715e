"""What env files and label files bring to services."""

from pathlib import Path

import pytest

from cntnr_compose.compose.basics.errors import EnvFileBroken, FileUnreadable
from cntnr_compose.core.errors import ServiceEnvFileMissing
from tests.unit.compose.world import load_texts, rendered_service


def test_later_files_win_and_the_service_wins_over_all(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {image: x, env_file: [1.env, 2.env], environment: {C: own}}}",
        "1.env": "A=1\nB=1\nC=1\n",
        "2.env": "B=2\nD=$A\n",
    }
    environment = rendered_service(tmp_path, files)["environment"]
    # $A is that of the environment, which wins over files in values.
    assert environment == {"A": "1", "B": "2", "C": "own", "D": "aa"}


def test_a_raw_file_keeps_its_values_as_they_are(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {image: x, env_file: [{path: 1.env, format: raw}]}}",
        "1.env": "V='$X' # no comment\nA\n",
    }
    assert rendered_service(tmp_path, files)["environment"] == {
        "V": "'$$X' # no comment",
        "A": "aa",
    }


def test_labels_of_files_stand_under_those_of_the_service(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {image: x, label_file: l, labels: {two: own}}}",
        "l": "one=1\ntwo=2\n",
    }
    assert rendered_service(tmp_path, files)["labels"] == {"one": "1", "two": "own"}


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("env_file: nope", ServiceEnvFileMissing),
        ("env_file: [{path: there, format: odd}]", EnvFileBroken),
        ("env_file: [{path: broken, format: raw}]", EnvFileBroken),
        ("label_file: nope", FileUnreadable),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error(
    tmp_path: Path, key: str, error: type[Exception]
) -> None:
    files = {
        "compose.yaml": f"services: {{a: {{image: x, {key}}}}}",
        "there": "",
        "broken": "=1\n",
    }
    with pytest.raises(error):
        load_texts(tmp_path, files)


def test_a_missing_file_can_be_tolerated_and_the_others_are_read(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {image: x, env_file: [nope, there]}, b: {image: x}}",
        "there": "A=1\n",
    }
    project = load_texts(tmp_path, files, tolerate_missing_env_files=True).project
    assert project.services["a"].environment == {"A": "1"}
    assert project.missing_env_files == {"a": f"{tmp_path}/nope"}
    project.select(("b",)).require_env_files()
    with pytest.raises(ServiceEnvFileMissing, match="nope"):
        project.select(("a",)).require_env_files()


def test_a_file_that_is_not_required_may_be_missing(tmp_path: Path) -> None:
    text = "services: {a: {image: x, env_file: [{path: nope, required: false}]}}"
    assert "environment" not in rendered_service(tmp_path, text)
