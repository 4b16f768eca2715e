"""What follows the rebuild of an image."""

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.plan import render_plan
from cntnr_compose.reconcile.restart import plan_rebuild
from tests.unit.reconcile.world import TIED, empty_snapshot, is_up, project, service

SHOP = project(
    service("web", ["db"]),
    service("db"),
    service("tied", {"web": TIED}),
    service("other", ["web"]),
    service("sidecar", network_mode="service:web"),
)
UP = is_up(SHOP)


def names(plan):
    return {
        step.operation.name.split("-")[1] for step in plan.steps if hasattr(step.operation, "name")
    }


def test_the_service_is_recreated_and_those_restarted_that_cannot_go_on_without() -> None:
    plan = plan_rebuild(SHOP, UP, ("web",))
    assert names(plan) >= {"web", "tied", "sidecar"}
    assert not names(plan) & {"db", "other"}
    text = render_plan(plan)
    assert "recreate container p-web-1" in text
    assert "recreate container p-tied-1" not in text


def test_dependents_without_containers_are_not_made() -> None:
    running = tuple(one for one in UP.containers if one.record.service in ("web", "db"))
    assert names(plan_rebuild(SHOP, replace(UP, containers=running), ("web",))) == {"web"}


def test_a_scaled_service_keeps_its_number_of_containers() -> None:
    scaled = project(service("web", replicas=3))
    plan = plan_rebuild(project(service("web")), is_up(scaled), ("web",))
    text = render_plan(plan)
    assert "remove container p-web-3: scaled" not in text
    assert all(f"recreate container p-web-{number}" in text for number in (1, 2, 3))


def test_a_service_that_is_down_is_brought_up() -> None:
    assert "create container p-web-1" in render_plan(
        plan_rebuild(SHOP, empty_snapshot(SHOP), ("web",))
    )
    with pytest.raises(NoSuchService):
        plan_rebuild(SHOP, UP, ("nope",))
