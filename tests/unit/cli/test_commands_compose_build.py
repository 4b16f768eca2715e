"""`build` builds what has a build section."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeSupervisor, Run


def test_build_builds_what_has_a_build(
    compose: Run, tmp_path: Path, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n  a: {build: ., depends_on: [b]}\n  b: {build: .}\n  c: {image: x}\n"
    )
    builds: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "cntnr_compose.builder.build.build_images",
        lambda _project, names, **more: builds.append(
            (names, more["no_cache"], more["pull"], more["args"])
        ),
    )
    compose("build", "--no-cache", "--pull", "--build-arg", "V=1")
    assert builds[-1] == (("a", "b"), True, True, {"V": "1"})
    compose("build", "a")
    assert builds[-1][0] == ("a",)
    compose("build", "--with-dependencies", "a")
    assert builds[-1][0] == ("a", "b")
    assert "No services to build" in compose("build", "c").err
    assert compose("build", "--ssh", "default").err.startswith(
        "error: cannot do `cntnr compose build --ssh`"
    )
