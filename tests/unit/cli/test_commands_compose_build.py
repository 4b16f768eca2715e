"""`build` builds what has a build section."""

import json
from pathlib import Path

import pytest

from cntnr_compose.builder.request import BuildOptions
from tests.unit.cli.conftest import FakeSupervisor, Run


def test_build_builds_what_has_a_build(
    compose: Run, tmp_path: Path, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n  a: {build: ., depends_on: [b]}\n  b: {build: .}\n  c: {image: x}\n"
    )
    builds: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "cntnr_compose.builder.project_build.build_services",
        lambda _project, names, **more: builds.append(
            (names, more["options"].no_cache, more["options"].pull, more["options"].args)
        ),
    )
    compose("build", "--no-cache", "--pull", "--build-arg", "V=1")
    assert builds[-1] == (("a", "b"), True, True, {"V": "1"})
    compose("build", "a")
    assert builds[-1][0] == ("a",)
    compose("build", "--with-dependencies", "a")
    assert builds[-1][0] == ("a", "b")
    count = len(builds)
    ran = compose("build", "c")
    assert (ran.code, ran.out, ran.err, len(builds)) == (0, "", "", count)
    assert compose("build", "--print", "c").out == ""


def test_options_without_effect_are_told_and_others_are_passed_on(
    compose: Run, tmp_path: Path, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text("name: shop\nservices: {a: {build: .}}\n")
    options: list[BuildOptions] = []
    monkeypatch.setattr(
        "cntnr_compose.builder.project_build.build_services",
        lambda _project, _names, **more: options.append(more["options"]),
    )
    words = ("--builder", "far", "--provenance", "mode=max", "--sbom", "true", "-m", "64m")
    told = compose("build", *words, "--ssh", "default", "--ssh", "k=/x").err
    assert "--builder far has no effect" in told
    assert "--provenance has no effect" in told
    assert "--sbom has no effect" in told
    assert (options[-1].memory, options[-1].ssh) == (64 << 20, ("default", "k=/x"))
    silent = compose("build", "--builder", "default", "--provenance=false", "--sbom=false", "-q")
    assert silent.err == ""
    assert "invalid size" in compose("build", "--memory", "much").err


def test_print_writes_a_bake_file(compose: Run, tmp_path: Path, supervisor: FakeSupervisor) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n"
        "  a.b: {image: 'i:1', build: {dockerfile_inline: 'FROM $${X} >', provenance: false, sbom: x=y}}\n"
        "  c:\n"
        "    build:\n      context: sub\n      dockerfile: D\n      additional_contexts: [o=service:a.b]\n"
        "      args: {Z: 1, A: }\n      ssh: [default, k=/k]\n      ulimits: {nofile: {soft: 1, hard: 2}}\n"
        "      secrets: [s, t]\n      extra_hosts: ['h:1.2.3.4']\n      privileged: true\n"
        "      platforms: [linux/amd64, linux/arm64]\n      tags: [j]\n"
        "  d: {build: .}\n"
        "secrets: {s: {file: ./s}, t: {environment: T}}\n"
    )
    printed = json.loads(compose("build", "--print", "--push", "--pull", "c").out)
    assert printed["group"] == {"default": {"targets": ["c", "a_b"]}}
    target = printed["target"]
    assert list(target) == ["a_b", "c"]
    assert target["a_b"]["dockerfile-inline"] == "FROM $${X} >"
    assert target["a_b"]["output"] == ["type=registry"]
    assert target["a_b"]["attest"] == ["type=sbom,x=y"]
    c = target["c"]
    assert c["contexts"] == {"o": "target:a_b"}
    assert c["dockerfile"] == f"{tmp_path}/sub/D"
    assert (c["args"], c["tags"], c["pull"]) == ({"Z": "1"}, ["j", "shop-c"], True)
    assert c["ssh"] == ["default=", "k=/k"]
    assert c["secret"] == [f"id=s,type=file,src={tmp_path}/s", "id=t,type=env,env=T"]
    assert (c["ulimits"], c["extra-hosts"]) == (["nofile=1:2"], {"h": "1.2.3.4"})
    assert (c["entitlements"], c["output"]) == (["security.insecure"], ["type=image,push=false"])
    printed = json.loads(compose("build", "--print", "--check", "d").out)
    assert printed["target"]["d"]["call"] == "lint"
    assert "output" not in printed["target"]["d"]
