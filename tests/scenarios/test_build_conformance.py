"""Every case of tests/build_conformance: our image is what BuildKit made of the same Dockerfile."""

from pathlib import Path

import pytest

from tests.build_conformance.bases import make_bases
from tests.build_conformance.case import Case, load_cases
from tests.build_conformance.image_facts import Facts
from tests.build_conformance.oracle import tags
from tests.build_conformance.ours import build_as, verdict
from tests.build_conformance.run import load_records
from tests.scenarios.lib import User
from tests.scenarios.registry import Registry

CASES, RECORDS = load_cases(), load_records()


@pytest.fixture(scope="module")
def built(
    user: User, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Facts]:
    """Build all cases, most of them in one command."""
    layout: Path = tmp_path_factory.mktemp("bases")
    make_bases(layout)
    facts = build_as(user, registry, CASES, layout)
    # The store is that of all scenarios: leave it as it was.
    names = [f"conformance/{name}" for name in facts if "message" not in facts[name]]
    bases = [tag for tag in tags(layout) if tag != "busybox"]
    user.run("cntnr", "image", "rm", "-f", *names, *bases).ok()
    return facts


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_image_is_as_the_record_has_it(case: Case, built: dict[str, Facts]) -> None:
    assert verdict(case, RECORDS[case.name], built[case.name]) == {}


def test_nothing_of_it_stays_in_the_store(user: User, built: dict[str, Facts]) -> None:
    assert "conformance/" not in user.run("cntnr", "image", "ls").ok().stdout


def test_each_case_has_a_record_and_each_record_a_case() -> None:
    assert {case.name for case in CASES} == set(RECORDS)
    assert len(CASES) >= 120
