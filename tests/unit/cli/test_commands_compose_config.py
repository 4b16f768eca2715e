"""`config` shows what files mean, and lists what is in them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.images.transports import skopeo
from tests.unit.cli.conftest import CommandResult

Run = Callable[..., CommandResult]

TEXT = """\
name: shop
services:
  web: {image: "i:${TAG:-latest}", depends_on: [db], environment: {A: "$HOLE"}}
  db: {build: ., volumes: ["data:/d"], networks: [back]}
  tool: {image: t, profiles: [extra, ci]}
networks: {back: }
volumes: {data: }
x-own: 1
"""


@pytest.fixture
def config(compose: Run) -> Callable[..., CommandResult]:
    Path("compose.yaml").write_text(TEXT)
    return lambda *words: compose("config", *words)


def test_it_prints_yaml_and_warns(config: Run) -> None:
    ran = config()
    assert ran.code == 0
    assert ran.out.startswith("name: shop\nservices:\n  db:\n    build:\n")
    assert 'HOLE\\" variable is not set' in ran.err


def test_it_prints_json(config: Run) -> None:
    tree = json.loads(config("--format", "json").out)
    assert list(tree["services"]) == ["db", "web"]
    assert tree["x-own"] == 1


def test_it_prints_only_services_that_are_asked_for_and_their_dependencies(config: Run) -> None:
    tree = json.loads(config("--format", "json", "tool", "db").out)
    assert list(tree["services"]) == ["db", "tool"]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["--services"], ["db", "web"]),
        (["--volumes"], ["data"]),
        (["--networks"], ["back", "default"]),
        (["--images"], ["shop-db", "i:latest"]),
        (["--profiles"], ["ci", "extra"]),
        (["--models"], []),
        (["--quiet"], []),
    ],
)
def test_it_lists(config: Run, words: list[str], lines: list[str]) -> None:
    ran = config(*words)
    assert ran.code == 0
    assert ran.out.splitlines() == lines


def test_images_may_be_those_of_services_only(config: Run) -> None:
    assert config("--images", "db").out == "shop-db\n"


def test_models_are_told_by_what_they_are(compose: Run) -> None:
    Path("compose.yaml").write_text(
        "services: {a: {image: a, models: [m]}}\nmodels: {m: {model: ai/tiny}}\n"
    )
    assert compose("config", "--models").out == "ai/tiny\n"


@pytest.mark.parametrize("word", ["--services", "--networks", "--images", "--profiles"])
def test_lists_need_no_env_files(compose: Run, word: str) -> None:
    Path("compose.yaml").write_text("services: {a: {image: a, env_file: gone.env}}\n")
    assert compose("config", word).code == 0
    assert compose("config").code == 1


def test_hashes_need_env_files_unless_they_are_left_out(compose: Run) -> None:
    Path("compose.yaml").write_text(
        "services: {a: {image: a, env_file: gone.env}, b: {image: b}}\n"
    )
    assert "gone.env not found" in compose("config", "--hash=*").err
    assert compose("config", "--hash=b").out.startswith("b ")
    assert compose("config", "--hash=*", "--no-env-resolution").code == 0


def test_env_files_are_read_whatever_is_said(compose: Run) -> None:
    Path("compose.yaml").write_text("services: {a: {image: a, env_file: gone.env}}\n")
    assert compose("config", "--no-env-resolution").code == 1


def test_names_are_left_out_for_the_sake_of_compatibility(compose: Run) -> None:
    Path("compose.yaml").write_text("services: {a: {image: a, networks: [n]}}\nnetworks: {n: }\n")
    tree = json.loads(compose("--compatibility", "config", "--format", "json").out)
    assert "name" not in tree["networks"]["n"]


def test_unused_resources_stay_where_services_are_named(compose: Run) -> None:
    Path("compose.yaml").write_text("services: {a: {image: a}}\nvolumes: {v: }\n")
    assert "volumes:" in compose("--all-resources", "config", "a").out
    assert "volumes:" not in compose("config", "a").out


def test_what_was_not_said_is_no_name_of_a_raw_project(compose: Run) -> None:
    Path("compose.yaml").write_text("services: {a: {image: a}}\n")
    ran = compose("config", "--no-interpolate", "--no-normalize")
    assert ran.out == "services:\n  a:\n    image: a\n"


def test_json_ends_without_a_line_end(config: Run) -> None:
    assert config("--format", "json").out.endswith("}")
    assert config("--no-interpolate", "--format", "json").out.endswith("}")


def test_it_lists_variables(config: Run) -> None:
    lines = [line.split() for line in config("--variables").out.splitlines()]
    assert lines[1:] == [["HOLE", "false"], ["TAG", "false", "latest"]]
    variables = json.loads(config("--variables", "--format", "json").out)
    assert variables["TAG"]["DefaultValue"] == "latest"


def test_it_prints_what_variables_are_replaced_with(
    config: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG", "5")
    lines = config("--environment").out.splitlines()
    assert "TAG=5" in lines
    assert "COMPOSE_PROJECT_NAME=shop" in lines


def test_hashes_are_those_of_the_labels(config: Run) -> None:
    every = dict(line.split() for line in config("--hash", "*").out.splitlines())
    assert list(every) == ["db", "web"]
    assert all(len(one) == 64 for one in every.values())
    assert config("--hash", "web").out == f"web {every['web']}\n"
    assert config("--hash", "nope").code == 1


def test_it_writes_to_a_file(config: Run) -> None:
    assert config("--output", "out.yaml").out == ""
    assert Path("out.yaml").read_text().startswith("name: shop\n")
    assert config("--output", "").out.startswith("name: shop\n")


def test_a_file_that_cannot_be_written_is_one_sentence(config: Run) -> None:
    ran = config("--output", "none/out.yaml")
    assert ran.code == 1
    assert "error: cannot write to none/out.yaml: no such file or directory" in ran.err


def test_a_file_has_what_standard_output_would_have(
    config: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG", "sp\udcff\xe4t")
    config("--environment", "--output", "out.yaml")
    assert b"\nTAG=sp\xff\xc3\xa4t\n" in Path("out.yaml").read_bytes()


def test_variables_can_stay(config: Run) -> None:
    assert "image: i:${TAG:-latest}\n" in config("--no-interpolate").out
    tree = json.loads(config("--no-interpolate", "--format", "json").out)
    assert tree["services"]["web"]["image"] == "i:${TAG:-latest}"


@pytest.mark.parametrize("words", [["--compatibility", "config"], ["config", "--no-normalize"]])
def test_what_is_not_said_can_be_left_out(compose: Run, config: Run, words: list[str]) -> None:
    tree = json.loads(compose(*words, "--format", "json").out)
    assert "networks" not in tree["services"]["web"]
    assert "dockerfile" not in tree["services"]["db"]["build"]


def test_images_are_named_by_their_digests(config: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    refs: list[str] = []

    def digest(ref: str) -> str:
        refs.append(ref)
        return "sha256:" + "0" * 64

    monkeypatch.setattr(skopeo, "read_digest", digest)
    tree: Any = json.loads(config("--resolve-image-digests", "--format", "json").out)
    pinned = "docker.io/library/i:latest@sha256:" + "0" * 64
    assert tree["services"]["web"]["image"] == pinned
    assert refs == ["docker.io/library/i:latest"]
    locked = config("--lock-image-digests").out
    assert locked == f"services:\n  db: {{}}\n  web:\n    image: {pinned}\n"


def test_other_formats_are_refused(config: Run) -> None:
    ran = config("--format", "xml")
    assert ran.code == 1
    assert 'unsupported format "xml"' in ran.err


def test_its_old_name_is_known(compose: Run, config: Run) -> None:
    assert compose("convert", "--services").out == config("--services").out


def test_it_explains_each_value_with_a_comment(config: Run) -> None:
    ran = config("--explain")
    lines = {line.split("#")[0].strip(): line.rpartition("# ")[2] for line in ran.out.splitlines()}
    assert lines["name: shop"] == "compose.yaml:1"
    assert lines["image: i:latest"] == "compose.yaml:3 (TAG: not set)"
    assert lines["source: data"] == "compose.yaml:4"
    short = [line for line in ran.out.splitlines() if "  # " in line and "context" not in line]
    assert len({line.index("  # ") for line in short}) == 1


def test_what_it_explains_is_what_it_prints(config: Run) -> None:
    lines = config("--explain").out.splitlines()
    assert [line.partition("  # ")[0].rstrip() for line in lines] == config().out.splitlines()


def test_it_explains_to_programs(config: Run) -> None:
    rows = {row["Path"]: row for row in json.loads(config("--explain", "--format", "json").out)}
    row = rows["services.web.image"]
    assert (row["Value"], row["Line"], row["Column"]) == ("i:latest", 3, 16)
    assert row["File"] == str(Path("compose.yaml").resolve())
    assert row["Variables"][0]["Otherwise"] == "not set"


def test_texts_of_several_lines_are_explained_on_the_first(compose: Run) -> None:
    Path("compose.yaml").write_text(
        "services:\n  a:\n    image: x\n    labels:\n      k: |\n        a\n        b\n"
    )
    lines = compose("config", "--explain").out.splitlines()
    at = next(index for index, line in enumerate(lines) if "k: |" in line)
    assert lines[at].endswith("# compose.yaml:5")
    assert lines[at + 1 : at + 3] == ["        a", "        b"]


@pytest.mark.parametrize("word", ["--services", "--hash=*", "--lock-image-digests"])
def test_lists_are_not_explained(config: Run, word: str) -> None:
    ran = config("--explain", word)
    assert ran.code != 0
    assert "whole project" in ran.err
