"""`pull` pulls each image once."""

from pathlib import Path

import pytest

from cntnr_compose.builder import ensure_images
from cntnr_compose.builder.ensure_images import RequiredImage
from tests.unit.cli.conftest import FakeSupervisor, Run


def test_pull_asks_for_each_image_once_and_says_why_not(
    compose: Run, tmp_path: Path, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n"
        "  a: {image: one}\n  b: {image: one}\n"
        "  c: {build: .}\n  d: {image: two, build: .}\n  e: {image: three, pull_policy: never}\n"
    )
    pulled: list[tuple[list[str], list[str]]] = []
    dry_runs: list[bool] = []

    def pull_images(
        images: list[RequiredImage], *, optional: list[RequiredImage], dry_run: bool, **_: object
    ) -> None:
        pulled.append(([one.name for one in images], [one.name for one in optional]))
        dry_runs.append(dry_run)

    monkeypatch.setattr(ensure_images, "pull_images", pull_images)
    ran = compose("pull")
    assert ran.code == 0
    assert pulled == [(["one", "two"], ["two"])]
    assert " Image shop-c  Skipped (No image to be pulled)\n" in ran.err
    assert " Image three  Skipped (pull policy is never)\n" in ran.err
    compose("pull", "--ignore-buildable", "--ignore-pull-failures", "a", "d")
    assert pulled[-1] == (["one"], ["one"])
    assert compose("pull", "-q").err == ""
    assert not any(dry_runs)
    compose("pull", "--dry-run")
    assert dry_runs[-1]
