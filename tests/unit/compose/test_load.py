"""From files to a project: order, names, environment, profiles, warnings."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import (
    ComposeFileEmpty,
    EnvFileBroken,
    EnvFileMissing,
    FileUnreadable,
    NoConfigurationFile,
    NotASwitch,
    ProjectNameEmpty,
    RemoteUnsupported,
    ServiceEnvFileMissing,
)
from cntnr_compose.compose.load import LoadRequest
from cntnr_compose.compose.project_name import resolve_project_name
from cntnr_compose.core.errors import CntnrError, NoSuchService
from cntnr_compose.core.names import ProjectNameInvalid
from tests.unit.compose.world import ENVIRON, read, service, shown, write

X = "services: {a: {image: x}}\n"


def test_a_file_is_looked_for_up_the_tree(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": X})
    (tmp_path / "one/two").mkdir(parents=True)
    found = read(tmp_path, {}, cwd=str(tmp_path / "one/two")).project
    assert found.files == (str(tmp_path / "compose.yaml"),)
    assert found.working_dir == str(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ["compose.yaml", "compose.yml"],
        ["compose.yml", "docker-compose.yml"],
        ["docker-compose.yml", "docker-compose.yaml"],
    ],
)
def test_the_first_of_several_files_is_taken_and_told(tmp_path: Path, names: list[str]) -> None:
    found = read(tmp_path, dict.fromkeys(names, X))
    first, second = (str(tmp_path / name) for name in names)
    assert found.project.files == (first,)
    assert found.warnings == (
        f"Found multiple config files with supported names: {first}, {second}",
        f"Using {first}",
    )


def test_an_override_beside_it_is_laid_over_it(tmp_path: Path) -> None:
    files = {"compose.yml": X, "docker-compose.override.yaml": "services: {a: {tty: true}}"}
    assert service(tmp_path, files) == {"image": "x", "tty": True}


def test_named_files_have_no_override(tmp_path: Path) -> None:
    files = {"compose.yml": X, "compose.override.yml": "services: {a: {tty: true}}"}
    assert service(tmp_path, files, files=("compose.yml",)) == {"image": "x"}


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoConfigurationFile, match="no configuration file provided: not found"):
        read(tmp_path, {})


def test_a_named_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"open .*nope.yaml: no such file or directory"):
        read(tmp_path, {}, files=("nope.yaml",))


def test_remote_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RemoteUnsupported):
        read(tmp_path, {}, files=("oci://example.com/app",))


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"COMPOSE_FILE": "x.yaml:y.yaml"}, ["a", "b"]),
        ({"COMPOSE_FILE": "x.yaml,y.yaml", "COMPOSE_PATH_SEPARATOR": ","}, ["a", "b"]),
        ({"COMPOSE_FILE": "y.yaml"}, ["b"]),
    ],
)
def test_a_variable_names_files(tmp_path: Path, environ: dict[str, str], names: list[str]) -> None:
    files = {"x.yaml": X, "y.yaml": "services: {b: {image: y}}"}
    assert list(shown(tmp_path, files, environ=environ)["services"]) == names


def test_a_variable_that_names_no_file_names_the_directory(tmp_path: Path) -> None:
    with pytest.raises(CntnrError, match="is a directory"):
        read(tmp_path, X, environ={"COMPOSE_FILE": ""})


def test_the_env_file_configures_us_too(tmp_path: Path) -> None:
    files = {
        "x.yaml": "services: {a: {image: x}, b: {image: y, profiles: [p]}}",
        ".env": "COMPOSE_FILE=x.yaml\nCOMPOSE_PROJECT_NAME=given\nCOMPOSE_PROFILES=p\n",
    }
    found = shown(tmp_path, files)
    assert found["name"] == "given"
    assert list(found["services"]) == ["a", "b"]


IMAGE = "services: {a: {image: 'i:${V:-none}-${W:-none}'}}"


@pytest.mark.parametrize(
    ("files", "asked", "image"),
    [
        ({".env": "V=1\n"}, {}, "i:1-none"),
        ({".env": "V=1\nW=$V\n"}, {"environ": {"V": "e"}}, "i:e-e"),
        ({"1.env": "V=1\nW=1\n", "2.env": "W=2\n"}, {"env_files": ("1.env", "2.env")}, "i:1-2"),
        (
            {"1.env": "V=1\n", ".env": "W=no"},
            {"environ": {"COMPOSE_ENV_FILES": "1.env"}},
            "i:1-none",
        ),
        ({".env": "V=1\n"}, {"environ": {"COMPOSE_DISABLE_ENV_FILE": "1"}}, "i:none-none"),
        ({".env": "V=1\nCOMPOSE_DISABLE_ENV_FILE=1\n"}, {}, "i:none-none"),
        ({".env": "V=$COMPOSE_PROFILES\nCOMPOSE_PROFILES=q\n"}, {}, "i:q-none"),
        (
            {".env": "V=1\nCOMPOSE_DISABLE_ENV_FILE=1\n"},
            {"environ": {"COMPOSE_DISABLE_ENV_FILE": "0"}},
            "i:1-none",
        ),
        ({"x.env": "V=1\n"}, {"environ": {"COMPOSE_ENV_FILES": ",x.env,"}}, "i:1-none"),
        ({".env": "V=1\n", "p/.env": "V=2\nW=2\n"}, {"project_directory": "p"}, "i:2-2"),
    ],
)
def test_variables_come_from_env_files(tmp_path: Path, files: Any, asked: Any, image: str) -> None:
    if "project_directory" in asked:
        asked = asked | {"files": ("compose.yaml",)}
    assert service(tmp_path, {"compose.yaml": IMAGE, **files}, **asked)["image"] == image


def test_an_env_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(EnvFileMissing, match=r"couldn't find env file: .*nope.env"):
        read(tmp_path, X, env_files=("nope.env",))


def test_an_env_file_that_is_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvFileBroken, match=r"failed to read .*\.env: line 2"):
        read(tmp_path, {"compose.yaml": X, ".env": "A=1\nB!=2\n"})


def test_a_switch_is_true_or_false(tmp_path: Path) -> None:
    with pytest.raises(NotASwitch, match="COMPOSE_DISABLE_ENV_FILE"):
        read(tmp_path, X, environ={"COMPOSE_DISABLE_ENV_FILE": "perhaps"})


@pytest.mark.parametrize(
    ("text", "asked", "name"),
    [
        (X, {}, "some-dir_1"),
        ("name: My App\n" + X, {}, "myapp"),
        ("name: '${A}-${NO:-x}'\n" + X, {}, "aa-x"),
        ("name: My App\n" + X, {"normalize": False}, "My App"),
        ("name: one\n---\nname: two\n" + X, {}, "two"),
        ("name: one\n" + X, {"environ": {"COMPOSE_PROJECT_NAME": "env"}}, "env"),
        ("name: one\n" + X, {"project_name": "flag"}, "flag"),
    ],
)
def test_a_project_has_a_name(tmp_path: Path, text: str, asked: Any, name: str) -> None:
    folder = tmp_path / "Some.Dir_1"
    folder.mkdir()
    folder = folder.rename(tmp_path / "-Some-Dir_1")
    found = read(folder, text, **asked)
    assert found.project.name == name
    assert found.tree["name"] == name
    environ = ENVIRON | asked.pop("environ", {})
    assert resolve_project_name(LoadRequest(environ=environ, cwd=str(folder), **asked)) == name


@pytest.mark.parametrize("name", ["Upper", "-x", "a b", "a/b", "é"])
def test_a_name_that_is_given_must_be_valid(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectNameInvalid, match="must consist only of lowercase"):
        read(tmp_path, X, project_name=name)


def test_a_name_cannot_be_empty(tmp_path: Path) -> None:
    with pytest.raises(ProjectNameEmpty):
        read(tmp_path, "name: '${NOPE}'\n" + X)


def test_other_mistakes_are_told_before_an_empty_name(tmp_path: Path) -> None:
    with pytest.raises(ComposeFileInvalid, match="ports"):
        read(tmp_path, "name: '${NOPE}'\nservices: {a: {image: x, ports: 5}}")


def test_the_name_can_be_used_in_the_file(tmp_path: Path) -> None:
    text = "services: {a: {image: 'x:$COMPOSE_PROJECT_NAME'}}"
    assert service(tmp_path, text, project_name="me")["image"] == "x:me"


PROFILES = (
    "services: {a: {image: x}, p: {image: x, profiles: [p, r]}, q: {image: x, profiles: [q]}}"
)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["a"]),
        ({"profiles": ("p",)}, ["a", "p"]),
        ({"profiles": ("*",)}, ["a", "p", "q"]),
        ({"environ": {"COMPOSE_PROFILES": "q , r"}}, ["a", "p", "q"]),
        ({"environ": {"COMPOSE_PROFILES": "q"}, "profiles": ("p",)}, ["a", "p"]),
        ({"services": ("q",)}, ["a", "q"]),
    ],
)
def test_profiles_enable_services(tmp_path: Path, asked: Any, names: list[str]) -> None:
    found = read(tmp_path, PROFILES, **asked).project
    assert list(found.services) == names
    assert {*found.services, *found.disabled} == {"a", "p", "q"}


def test_a_profile_without_letters_is_on_where_none_is_asked_for(tmp_path: Path) -> None:
    text = "services: {a: {image: x, profiles: ['']}, b: {image: x}}"
    assert list(read(tmp_path, text).project.services) == ["a", "b"]
    assert list(read(tmp_path, text, profiles=("p",)).project.services) == ["b"]


def test_a_service_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NoSuchService, match="no such service: zz"):
        read(tmp_path, X, services=("zz",))


def test_what_no_service_uses_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    text = X + "networks: {n: }\nvolumes: {v: }\nsecrets: {s: {file: x}}\nconfigs: {c: {file: x}}\n"
    assert set(shown(tmp_path, text)) == {"name", "networks", "services"}
    every = shown(tmp_path, text, all_resources=True)
    assert every["networks"]["n"] == {"name": f"{every['name']}_n", "ipam": {}}
    assert {"volumes", "secrets", "configs"} <= set(every)


OBSOLETE = (
    "the attribute `version` is obsolete, it will be ignored, "
    "please remove it to avoid potential confusion"
)


def test_warnings_are_worded_as_docker_compose_does(tmp_path: Path) -> None:
    text = (
        "version: '3.8'\nservices: {a: {image: 'x:$NOPE$NOPE', tty: 'yes'}}\n"
        "volumes: {v: {external: {name: w}}}\n"
    )
    assert read(tmp_path, text).warnings == (
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
    told = [one.split('"')[1] for one in read(tmp_path, files).warnings]
    assert told == ["ONE", "TWO", "THREE"]


def test_the_directory_has_the_name_that_the_shell_has_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to(folder)
    write(folder, {"compose.yaml": X})
    there = read(tmp_path, {}, cwd=str(folder), environ={"PWD": str(link)}).project
    assert there.working_dir == str(link)
    elsewhere = read(tmp_path, {}, cwd=str(folder), environ={"PWD": str(tmp_path)}).project
    assert elsewhere.working_dir == str(folder)


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ComposeFileEmpty, match="empty compose file"):
        read(tmp_path, text)


def test_all_mistakes_are_told_at_once_and_with_their_places(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: ${A B}\n    tty: maybe\n    scale: many\n"
    with pytest.raises(ComposeFileInvalid) as raised:
        read(tmp_path, text)
    assert [str(one.place) for one in raised.value.diagnostics] == [
        f"{tmp_path}/compose.yaml:{line}:5" for line in (3, 4, 5)
    ]


def test_a_place_is_in_the_file_that_said_it(tmp_path: Path) -> None:
    files = {
        "a.yaml": "services:\n  a:\n    image: x\n    ports: ['80:80']\n",
        "b.yaml": "services:\n  a:\n    ports:\n      - '81:81'\n      - 'x:y:z'\n",
    }
    with pytest.raises(ComposeFileInvalid) as raised:
        read(tmp_path, files, files=("a.yaml", "b.yaml"))
    (finding,) = raised.value.diagnostics
    assert str(finding.place) == f"{tmp_path}/b.yaml:5:9"


SWITCHES = "services: {a: {image: 'x:$A', build: {context: d}, links: [nope]}}"


def test_variables_can_stay(tmp_path: Path) -> None:
    text = "services: {a: {image: 'x:$V', ports: ['$P:80'], tty: '$T'}}"
    tree = read(tmp_path, text, interpolate=False).tree
    assert tree["services"]["a"]["image"] == "x:$V"
    assert tree["services"]["a"]["ports"] == ["$P:80"]


def test_paths_can_stay(tmp_path: Path) -> None:
    found = service(tmp_path, "services: {a: {build: {context: d}}}", resolve_paths=False)
    assert found["build"]["context"] == "d"


def test_what_is_not_said_can_be_left_out(tmp_path: Path) -> None:
    found = shown(tmp_path, "services: {a: {build: d}}", normalize=False)
    assert found["services"]["a"]["build"] == {"context": "/DIR/d"}
    assert "networks" not in found


def test_parts_need_not_go_together(tmp_path: Path) -> None:
    text = "services: {a: {image: x, depends_on: [nope]}}"
    with pytest.raises(ComposeFileInvalid):
        read(tmp_path, text)
    assert "nope" in read(tmp_path, text, consistency=False).project.services["a"].depends_on


def test_env_files_of_services_can_stay(tmp_path: Path) -> None:
    text = "services: {a: {image: x, env_file: nope.env}}"
    with pytest.raises(ServiceEnvFileMissing, match=r"env file .*nope.env not found"):
        read(tmp_path, text)
    found = service(tmp_path, text, resolve_environment=False)
    assert found["env_file"] == [{"path": "/DIR/nope.env", "required": True}]


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
        read(tmp_path, text)
    assert all(one.place for one in raised.value.diagnostics)
