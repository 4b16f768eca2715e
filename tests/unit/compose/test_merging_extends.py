"""`extends`: in one file, across files, in circles."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import (
    ExtendsCycle,
    FileUnreadable,
    RemoteUnsupported,
    TooManyLevels,
)
from cntnr_compose.core.errors import CntnrError
from tests.unit.compose.world import load_texts, rendered_service


def test_a_service_is_laid_on_the_one_it_extends(tmp_path: Path) -> None:
    text = """
    services:
      a: {extends: b, environment: {A: 1}, command: z}
      b: {extends: {service: c}, environment: {B: 2, A: 0}}
      c: {image: i, command: y, depends_on: [d], networks: [n], volumes: ["vol:/v1"]}
      d: {image: d}
    networks: {n: }
    volumes: {vol: }
    """
    service = rendered_service(tmp_path, text)
    assert service["environment"] == {"A": "1", "B": "2"}
    assert service["command"] == ["z"]
    assert service["image"] == "i"
    assert list(service["depends_on"]) == ["d"]
    assert list(service["networks"]) == ["n"]
    assert service["volumes"][0]["source"] == "vol"


def test_paths_of_another_file_start_there(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: s/b.yaml, service: b}}}",
        "s/b.yaml": "services: {b: {extends: {file: t/c.yaml, service: c}, volumes: ['./b:/b']}}",
        "s/t/c.yaml": "services: {c: {image: c, build: ., volumes: ['./c:/c'], env_file: e}}",
        "s/t/e": "E=1",
    }
    service = rendered_service(tmp_path, files)
    assert service["build"]["context"] == "/DIR/s/t"
    assert [one["source"] for one in service["volumes"]] == ["/DIR/s/t/c", "/DIR/s/b"]
    assert service["environment"] == {"E": "1"}


def test_services_of_one_name_in_two_files_are_two(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: s/b.yaml, service: a}}}",
        "s/b.yaml": "services: {a: {extends: z, tty: true}, z: {image: z}}",
    }
    assert rendered_service(tmp_path, files) == {"image": "z", "tty": True}


def test_what_is_reset_is_not_taken_over(tmp_path: Path) -> None:
    text = """
    services:
      a: {extends: b, ports: !reset [], command: !override [z], labels: !override {n: "1"}}
      b: {image: b, ports: ["1:1"], command: [q], labels: {m: "1"}}
    """
    assert rendered_service(tmp_path, text) == {
        "image": "b",
        "command": ["z"],
        "labels": {"n": "1"},
    }


@pytest.mark.parametrize("name", ["a", "b"])
def test_what_another_file_overrides_is_there(tmp_path: Path, name: str) -> None:
    files = {
        "compose.yaml": f"services: {{a: {{extends: {{file: b.yaml, service: {name}}}}}}}",
        "b.yaml": f"""
        services:
          {name}: {{extends: c, user: !override me, hostname: !reset h}}
          c: {{image: c, user: you, hostname: i, domainname: d}}
        """,
    }
    assert rendered_service(tmp_path, files) == {"image": "c", "user": "me", "domainname": "d"}


def test_what_is_reset_elsewhere_under_the_same_name_stays(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: b.yaml, service: c}}}",
        "b.yaml": "services: {a: {image: a, user: !reset me}, c: {image: c, user: you}}",
    }
    assert rendered_service(tmp_path, files) == {"image": "c", "user": "you"}


def test_another_file_may_be_named_from_the_root(tmp_path: Path) -> None:
    files = {
        "p/compose.yaml": f"services: {{a: {{extends: {{file: {tmp_path}/q/b.yaml, service: b}}}}}}",
        "q/b.yaml": "services: {b: {image: b, volumes: ['./v:/v']}}",
    }
    service = rendered_service(tmp_path, files, files=("p/compose.yaml",))
    assert service["volumes"][0]["source"] == "/DIR/q/v"


@pytest.mark.parametrize("other", ["5", "[b.yaml]", "''"])
def test_a_file_is_named_by_a_text(tmp_path: Path, other: str) -> None:
    text = f"services: {{a: {{extends: {{file: {other}, service: b}}}}, b: {{image: b}}}}"
    with pytest.raises(CntnrError):
        load_texts(tmp_path, text)


@pytest.mark.parametrize("key", ["build", "depends_on", "env_file", "gpus", "ports"])
def test_some_keys_cannot_be_null_in_another_file(tmp_path: Path, key: str) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: b.yaml, service: b}}}",
        "b.yaml": f"services: {{b: {{image: b}}, c: {{{key}: }}}}",
    }
    with pytest.raises(ComposeFileInvalid, match=f"services.c.{key}: invalid type <nil>"):
        load_texts(tmp_path, files)


def test_what_another_file_has_wrong_is_told_for_both(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: b.yaml, service: b}}}",
        "b.yaml": "services: {b: {image: b, foo: 1}}",
    }
    with pytest.raises(
        ComposeFileInvalid, match=r"b\.yaml:1:\d+: .*'foo'.*read for .*compose\.yaml"
    ):
        load_texts(tmp_path, files)


def test_a_service_counts_once_in_a_file_that_is_named(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: b.yaml, service: a}}}",
        "b.yaml": "services: {a: {extends: {file: b.yaml, service: c}}, c: {image: c}}",
    }
    with pytest.raises(ExtendsCycle):
        load_texts(tmp_path, files)


def test_only_the_service_that_is_extended_is_looked_at(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {extends: {file: b.yaml, service: b}}}",
        "b.yaml": "services: {b: {image: b}, bad: {imagee: 1}}\nfoo: 1",
    }
    assert rendered_service(tmp_path, files) == {"image": "b"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"compose.yaml": "services: {a: {extends: b}}"}, 'service "b" not found'),
        ({"compose.yaml": "services: {a: {extends: {}}}"}, "extends.a.service is required"),
        (
            {
                "compose.yaml": "services: {a: {extends: {file: b.yaml, service: z}}}",
                "b.yaml": "services: {b: {image: b}}",
            },
            'service "z" not found in b.yaml',
        ),
        (
            {
                "compose.yaml": "services: {a: {extends: {file: b.yaml, service: z}}}",
                "b.yaml": "x-a: 1",
            },
            "no services section",
        ),
        ({"compose.yaml": "services: [a]"}, "services must be a mapping"),
        ({"compose.yaml": "services: {a: x}"}, "services.a must be a mapping"),
    ],
)
def test_what_cannot_be_extended_is_told(tmp_path: Path, files: Any, message: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        load_texts(tmp_path, files)
    assert message in str(raised.value)
    assert raised.value.diagnostics[0].location


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"open .*b.yaml: no such file or directory"):
        load_texts(tmp_path, "services: {a: {extends: {file: b.yaml, service: b}}}")


def test_remote_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RemoteUnsupported):
        load_texts(tmp_path, "services: {a: {extends: {file: 'oci://x/y', service: b}}}")


@pytest.mark.parametrize(
    "files",
    [
        {"compose.yaml": "services: {a: {extends: b}, b: {extends: a}}"},
        {"compose.yaml": "services: {a: {extends: a}}"},
        {
            "compose.yaml": "services: {a: {extends: {file: b.yaml, service: b}}}",
            "b.yaml": "services: {b: {extends: {file: compose.yaml, service: a}}}",
        },
    ],
)
def test_circles_are_told(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(ExtendsCycle, match="Circular reference"):
        load_texts(tmp_path, files)


def test_an_endless_chain_is_told(tmp_path: Path) -> None:
    links = "".join(f"  s{n}: {{extends: s{n + 1}}}\n" for n in range(3000))
    with pytest.raises(TooManyLevels, match="cannot follow extends"):
        load_texts(tmp_path, f"services:\n{links}  s3000: {{image: x}}\n")


def test_a_long_chain_is_no_circle(tmp_path: Path) -> None:
    links = "".join(f"  s{n}: {{extends: s{n + 1}}}\n" for n in range(150))
    try:
        service = rendered_service(tmp_path, f"services:\n{links}  s150: {{image: x}}\n", "s0")
    except CntnrError as error:
        pytest.fail(str(error))
    assert service == {"image": "x"}
