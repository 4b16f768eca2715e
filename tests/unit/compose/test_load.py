"""A project is loaded from its files: passes in order, warnings, errors, what requests leave out."""

from pathlib import Path

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import ComposeFileEmpty
from cntnr_compose.core.errors import ServiceEnvFileMissing
from tests.unit.compose.world import load_texts, rendered, rendered_service

X = "services: {a: {image: x}}\n"


def test_other_mistakes_are_told_before_an_empty_name(tmp_path: Path) -> None:
    with pytest.raises(ComposeFileInvalid, match="ports"):
        load_texts(tmp_path, "name: '${NOPE}'\nservices: {a: {image: x, ports: 5}}")


def test_the_name_can_be_used_in_the_file(tmp_path: Path) -> None:
    text = "services: {a: {image: 'x:$COMPOSE_PROJECT_NAME'}}"
    assert rendered_service(tmp_path, text, project_name="me")["image"] == "x:me"


OBSOLETE = (
    "the attribute `version` is obsolete, it will be ignored, "
    "please remove it to avoid potential confusion"
)


def test_warnings_are_worded_as_docker_compose_does(tmp_path: Path) -> None:
    text = (
        "version: '3.8'\nservices: {a: {image: 'x:$NOPE$NOPE', tty: 'yes'}}\n"
        "volumes: {v: {external: {name: w}}}\n"
    )
    assert load_texts(tmp_path, text).warnings == (
        'The "NOPE" variable is not set. Defaulting to a blank string.',
        '"yes" for boolean is not supported by YAML 1.2, please use `true`',
        f"{tmp_path}/compose.yaml: {OBSOLETE}",
        "volumes.v: external.name is deprecated. Please set name and external: true",
    )


def test_variables_that_env_files_miss_are_told(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {image: x, env_file: e, label_file: l}}",
        ".env": "V=$ONE\n",
        "e": "W=$TWO\n",
        "l": "L=$THREE\n",
    }
    variables = [one.split('"')[1] for one in load_texts(tmp_path, files).warnings]
    assert variables == ["ONE", "TWO", "THREE"]


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ComposeFileEmpty, match="empty compose file"):
        load_texts(tmp_path, text)


def test_all_mistakes_are_told_at_once_and_with_their_places(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: ${A B}\n    tty: maybe\n    scale: many\n"
    with pytest.raises(ComposeFileInvalid) as raised:
        load_texts(tmp_path, text)
    assert [str(one.location) for one in raised.value.diagnostics] == [
        f"{tmp_path}/compose.yaml:{line}:5" for line in (3, 4, 5)
    ]


def test_a_place_is_in_the_file_that_said_it(tmp_path: Path) -> None:
    files = {
        "a.yaml": "services:\n  a:\n    image: x\n    ports: ['80:80']\n",
        "b.yaml": "services:\n  a:\n    ports:\n      - '81:81'\n      - 'x:y:z'\n",
    }
    with pytest.raises(ComposeFileInvalid) as raised:
        load_texts(tmp_path, files, files=("a.yaml", "b.yaml"))
    (finding,) = raised.value.diagnostics
    assert str(finding.location) == f"{tmp_path}/b.yaml:5:9"


SWITCHES = "services: {a: {image: 'x:$A', build: {context: d}, links: [nope]}}"


def test_variables_can_stay(tmp_path: Path) -> None:
    text = "services: {a: {image: 'x:$V', ports: ['$P:80'], tty: '$T'}}"
    tree = load_texts(tmp_path, text, interpolate=False).tree
    assert tree["services"]["a"]["image"] == "x:$V"
    assert tree["services"]["a"]["ports"] == ["$P:80"]


def test_paths_can_stay(tmp_path: Path) -> None:
    service = rendered_service(
        tmp_path, "services: {a: {build: {context: d}}}", resolve_paths=False
    )
    assert service["build"]["context"] == "d"


def test_what_is_not_said_can_be_left_out(tmp_path: Path) -> None:
    tree = rendered(tmp_path, "services: {a: {build: d}}", normalize=False)
    assert tree["services"]["a"]["build"] == {"context": "/DIR/d"}
    assert "networks" not in tree


def test_parts_need_not_go_together(tmp_path: Path) -> None:
    text = "services: {a: {image: x, depends_on: [nope]}}"
    with pytest.raises(ComposeFileInvalid):
        load_texts(tmp_path, text)
    assert "nope" in load_texts(tmp_path, text, consistency=False).project.services["a"].depends_on


def test_env_files_of_services_can_stay(tmp_path: Path) -> None:
    text = "services: {a: {image: x, env_file: nope.env}}"
    with pytest.raises(ServiceEnvFileMissing, match=r"env file .*nope.env not found"):
        load_texts(tmp_path, text)
    project = load_texts(tmp_path, text, tolerate_missing_env_files=True).project
    assert project.missing_env_files == {"a": f"{tmp_path}/nope.env"}
    service = rendered_service(tmp_path, text, resolve_environment=False)
    assert service["env_file"] == [{"path": "/DIR/nope.env", "required": True}]


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {image: x, command: 'a \"b'}}",
        "services: {a: {image: x, mem_limit: lots}}",
        "services: {a: {image: x, stop_grace_period: soon}}",
        "services: {a: {image: x, environment: ['A =1']}}",
        "services: {a: {image: x, extra_hosts: [h]}}",
        "services: {a: {image: x, cpu_shares: .inf}}",
        "services: {a: {image: x, secrets: [{source: s, mode: rw}]}}\nsecrets: {s: {file: x}}",
        "services: {a: {image: x, volumes: [{type: bind, target: /x}]}}",
        "services: {a: {image: x, devices: ['a:b:c:d']}}",
        "services: {a: {build: {additional_contexts: [x]}}}",
    ],
)
def test_a_value_that_does_not_fit_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        load_texts(tmp_path, text)
    assert all(one.location for one in raised.value.diagnostics)
