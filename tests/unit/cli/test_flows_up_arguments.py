"""Arguments of `up`: contradictions are refused in docker's words."""

import pytest

from cntnr_compose.cli.flows.shared_arguments import (
    BadPullPolicy,
    BadScale,
    Incompatible,
)
from cntnr_compose.cli.flows.up_arguments import NotInUp, UpArguments
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from tests.unit.cli.factories import project, service

SHOP = project(service("web"), service("db"), service("job", attach=False))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"build": True, "no_build": True}, "--build and --no-build are incompatible"),
        (
            {"force_recreate": True, "no_recreate": True},
            "--force-recreate and --no-recreate are incompatible",
        ),
        (
            {"always_recreate_deps": True, "no_recreate": True},
            "--always-recreate-deps and --no-recreate are incompatible",
        ),
        (
            {"abort_on_container_exit": True, "abort_on_container_failure": True},
            "--abort-on-container-failure and --abort-on-container-exit are incompatible",
        ),
        (
            {"attach": ("web",), "attach_dependencies": True},
            "--attach and --attach-dependencies are incompatible",
        ),
        ({"detach": True, "exit_code_from": "web"}, "--detach cannot be combined with "),
        ({"detach": True, "attach": ("web",)}, "--detach cannot be combined with "),
        ({"wait": True, "abort_on_container_exit": True}, "--wait cannot be combined with "),
    ],
)
def test_contradictions_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(Incompatible, match=f"^{sentence}"):
        UpArguments(**values).check()  # type: ignore[arg-type]


def test_unknown_policies_and_scales_are_refused() -> None:
    with pytest.raises(BadPullPolicy, match='invalid --pull option "often"'):
        UpArguments(pull="often").check()
    for text in ("web", "web=", "web=x", "=2", "web=-1"):
        with pytest.raises(BadScale, match=f'invalid --scale option "{text}"'):
            UpArguments(scale=(text,)).check()


def test_options_become_the_plan_s_words() -> None:
    arguments = UpArguments(
        services=("web",), force_recreate=True, scale=("web=2",), no_start=True, yes=True, timeout=3
    )
    options = arguments.to_up_options(SHOP, ProjectOptions(compatibility=True))
    assert (options.selected, options.recreate, options.recreate_dependencies) == (
        ("web",),
        "force",
        "diverged",
    )
    assert (options.scale, options.start, options.recreate_volumes) == ({"web": 2}, False, True)
    assert (options.timeout, options.separator) == (3, "_")
    never = UpArguments(no_recreate=True).to_up_options(SHOP, ProjectOptions())
    assert (never.recreate, never.recreate_dependencies) == ("never", "never")


def test_orphans_follow_variables_also_those_of_the_env_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("COMPOSE_REMOVE_ORPHANS", "COMPOSE_IGNORE_ORPHANS"):
        monkeypatch.delenv(name, raising=False)
    in_file = replace(SHOP, environment={"COMPOSE_IGNORE_ORPHANS": "true"})
    assert UpArguments().to_up_options(in_file, ProjectOptions()).ignore_orphans
    monkeypatch.setenv("COMPOSE_IGNORE_ORPHANS", "0")
    monkeypatch.setenv("COMPOSE_REMOVE_ORPHANS", "1")
    options = UpArguments().to_up_options(in_file, ProjectOptions())
    assert (options.ignore_orphans, options.remove_orphans) == (False, True)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, {"web", "db"}),
        ({"services": ("web",)}, {"web"}),
        ({"services": ("web",), "attach_dependencies": True}, {"web", "db"}),
        ({"attach": ("db",)}, {"db"}),
        ({"attach": ("job",)}, {"job"}),
        ({"no_attach": ("db",)}, {"web"}),
    ],
)
def test_the_output_of_these_is_shown(values: dict[str, object], shown: set[str]) -> None:
    assert UpArguments(**values).attached_services(SHOP, SHOP) == shown  # type: ignore[arg-type]


def test_only_services_that_are_brought_up_can_be_attached_to() -> None:
    part = SHOP.select(("web",))
    with pytest.raises(NotInUp, match="cannot attach to services not included in up: db"):
        UpArguments(services=("web",), attach=("db",)).attached_services(SHOP, part)
    with pytest.raises(NoSuchService):
        UpArguments(exit_code_from="nobody").attached_services(SHOP, SHOP)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, ""),
        ({"abort_on_container_exit": True}, "exit"),
        ({"exit_code_from": "web"}, "exit"),
        ({"abort_on_container_failure": True}, "failure"),
        ({"abort_on_container_failure": True, "exit_code_from": "web"}, "failure"),
    ],
)
def test_what_ends_everything(values: dict[str, object], word: str) -> None:
    assert UpArguments(**values).abort_condition == word  # type: ignore[arg-type]
