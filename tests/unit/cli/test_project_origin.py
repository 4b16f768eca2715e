"""Containers of one project name that came from several directories."""

from pathlib import Path

import pytest

from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.cli.project.origin import (
    CameFromElsewhere,
    TakenFromElsewhere,
    plan_removal,
    refuse_takeover,
    with_elsewhere,
)
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, Observed, ObservedNetwork, ObservedVolume
from cntnr_compose.model.plan import Plan, RemoveContainer, RemoveNetwork, RemoveVolume
from cntnr_compose.model.project import Project, Volume
from cntnr_compose.reconcile.labels import CONFIG_FILES, WORKING_DIR
from cntnr_compose.reconcile.teardown import DownOptions, plan_down
from cntnr_compose.reconcile.up import UpOptions, plan_up
from tests.unit.cli.factories import container, project, service

SHOP = project(service("web"))
BOTH = DownOptions(remove_orphans=True)


def there(name: str, directory: str, **more: object) -> Container:
    made = container(name, networks={"default": "shop_default"}, **more)
    return replace(made, record=replace(made.record, labels={WORKING_DIR: directory}))


def seen(*containers: Container, options: ProjectOptions | None = None) -> Observed:
    network = ObservedNetwork(name="shop_default", project="shop")
    observed = Observed(project="shop", containers=containers, networks={"shop_default": network})
    return with_elsewhere(observed, SHOP, options or ProjectOptions())


def plan_own_down(shop: Project, observed: Observed, options: DownOptions) -> Plan:
    return plan_removal(observed, lambda each: plan_down(shop, each, options), "down")


def removals(plan: Plan) -> list[str]:
    operations = [step.operation for step in plan.steps]
    return [each.name for each in operations if isinstance(each, RemoveContainer)]


def test_the_directory_tells_and_not_how_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    shop = replace(SHOP, working_dir=str(tmp_path))
    observed = Observed(
        project="shop",
        containers=(there("a", str(tmp_path / "link")), there("b", "/other"), there("c", "")),
    )
    assert with_elsewhere(observed, shop, ProjectOptions()).elsewhere == {"shop-b-1": "/other"}
    assert with_elsewhere(observed, None, ProjectOptions()).elsewhere == {}


def test_who_names_the_project_means_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    other = there("web", "/other")
    assert seen(other).elsewhere
    assert not seen(other, options=ProjectOptions(project_name="shop")).elsewhere
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "shop")
    assert not seen(other).elsewhere


def test_down_refuses_where_nothing_is_its_own() -> None:
    with pytest.raises(CameFromElsewhere, match="from another directory, /other: nothing was done"):
        plan_own_down(SHOP, seen(there("web", "/other")), DownOptions())
    with pytest.raises(CameFromElsewhere, match="shop-cache-1"):
        plan_own_down(SHOP, seen(there("cache", "/other")), BOTH)
    # Only orphans are there, and they are not asked for: nor does their network go.
    assert plan_own_down(SHOP, seen(there("cache", "/other")), DownOptions()).steps == ()


def test_down_leaves_what_another_directory_has() -> None:
    observed = seen(there("web", "/shop"), there("cache", "/other"))
    plan = plan_own_down(SHOP, observed, BOTH)
    removed = removals(plan)
    assert removed == ["shop-web-1"]
    assert not any(isinstance(one.operation, RemoveNetwork) for one in plan.steps)
    [warning] = plan.warnings
    assert warning.startswith("left as they are, since they came from another directory: ")
    assert warning.endswith("shop-cache-1 (from /other); with -p they go as well")
    whole = plan_own_down(SHOP, replace(observed, elsewhere={}), BOTH)
    assert len(whole.steps) == 5


def test_up_replaces_nothing_of_a_directory_that_still_has_its_project(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("")
    other = there("web", str(tmp_path))
    labels = other.record.labels | {CONFIG_FILES: f"/none,{file}"}
    observed = seen(replace(other, record=replace(other.record, labels=labels)))
    plans = [plan_up(SHOP, observed, UpOptions(recreate="force")), plan_up(SHOP, observed)]
    scaled = replace(SHOP, services={"web": replace(SHOP.services["web"], replicas=0)})
    plans.append(plan_up(scaled, observed))
    for plan in plans:
        with pytest.raises(TakenFromElsewhere, match=f"{tmp_path}: shop-web-1 would be replaced"):
            refuse_takeover(plan, observed)
    refuse_takeover(plan_up(SHOP, observed, UpOptions(recreate="never")), observed)
    refuse_takeover(plans[0], replace(observed, elsewhere={}))
    file.unlink()  # it was moved
    refuse_takeover(plans[0], observed)


def test_volumes_are_those_of_the_directory_that_made_them() -> None:
    shop = replace(SHOP, volumes={"kept": Volume(key="kept", name="shop_kept")})

    def plan(origin: str, *containers: Container) -> Plan:
        volume = ObservedVolume(name="shop_kept", project="shop", origin=origin)
        observed = replace(seen(*containers), volumes={"shop_kept": volume})
        noted = with_elsewhere(observed, shop, ProjectOptions())
        return plan_own_down(shop, noted, DownOptions(volumes=True))

    def volumes(plan: Plan) -> list[str]:
        operations = [step.operation for step in plan.steps]
        return [each.name for each in operations if isinstance(each, RemoveVolume)]

    web = there("web", "/shop")
    assert volumes(plan("/shop", web)) == volumes(plan("", web)) == ["shop_kept"]
    spared = plan("/other", web)
    assert (removals(spared), volumes(spared)) == (["shop-web-1"], [])
    assert "shop_kept (from /other)" in spared.warnings[-1]
    with pytest.raises(CameFromElsewhere, match="nothing was done to shop_kept"):
        plan("/other")


def test_up_removes_no_orphans_of_another_directory() -> None:
    observed = seen(there("web", "/shop"), there("cache", "/other"), there("old", "/shop"))
    plan = plan_up(SHOP, observed, UpOptions(remove_orphans=True))
    removed = removals(plan)
    assert removed == ["shop-old-1"]
    assert "shop-cache-1 (from /other)" in plan.warnings[0]
