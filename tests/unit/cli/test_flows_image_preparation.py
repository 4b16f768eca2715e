"""Images are pulled and built with the options of the command, and as quietly."""

from typing import Any

import pytest

from cntnr_compose.builder import ensure_images
from cntnr_compose.cli.flows.image_preparation import prepare_images, with_images
from cntnr_compose.cli.flows.shared_arguments import ImageOptions
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.core.events import Event, Output, Progress, WarningEvent
from cntnr_compose.model.observed import Observed
from tests.unit.cli.factories import project, service

SHOP = project(service("web"))
PULL = Progress(kind="Image", name="x", status="Pulling")
BUILD = Progress(kind="Image", name="x", status="Building")
LINE = Output(source="web 1/2", text="RUN make")
WARNING = WarningEvent(text="careful")


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        (ImageOptions(), [PULL, BUILD, LINE, WARNING]),
        (ImageOptions(quiet_pull=True), [BUILD, LINE, WARNING]),
        (ImageOptions(quiet_build=True), [PULL, WARNING]),
    ],
)
def test_quiet_options_hide_events(
    images: ImageOptions, shown: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    keywords: dict[str, Any] = {}
    events: list[Event] = []

    def ensure(_project: object, *, emit: Any, **options: Any) -> dict[str, str]:
        keywords.update(options)
        for event in (PULL, BUILD, LINE, WARNING):
            emit(event)
        return {"busybox": "sha256:1"}

    monkeypatch.setattr(ensure_images, "ensure_images", ensure)
    ids = prepare_images(ProjectOptions(), SHOP, images, events.append)
    assert ids == {"busybox": "sha256:1"}
    assert events == shown
    assert keywords == {
        "build": False,
        "no_build": False,
        "pull": "",
        "dry_run": False,
        "parallel": 0,
    }


def test_a_plan_knows_the_images_that_were_prepared() -> None:
    observed = Observed(project="shop", images={"a": "1", "b": "2"})
    assert with_images(observed, {"b": "3"}).images == {"a": "1", "b": "3"}
