"""Compare builds with BuildKit or buildah: run that builder, and ours, on every case.

python -m tests.build_conformance.run                    ours beside BuildKit's
python -m tests.build_conformance.run --record           write down what BuildKit makes
python -m tests.build_conformance.run --oracle buildah   buildah beside what BuildKit made
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.build_conformance.bases import make_bases
from tests.build_conformance.case import RECORDS, Case, load_cases
from tests.build_conformance.image_facts import Facts
from tests.build_conformance.oracle import BuildKit, OracleMissing
from tests.build_conformance.oracles import ORACLES, running_oracle
from tests.build_conformance.ours import build_cases, verdict


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")


def record_path(subject: str) -> Path:
    """Return the file with the records of a subject's cases."""
    return RECORDS / f"{subject}.json"


def load_records() -> dict[str, Facts]:
    """Read what the oracle made of each case."""
    records: dict[str, Facts] = {}
    for file in sorted(RECORDS.glob("*.json")):
        records |= json.loads(file.read_text())
    return records


def save_records(facts: dict[str, Facts], cases: list[Case], versions: dict[str, str]) -> None:
    """Write records; those of cases that were not built stay, those of cases that are gone do not."""
    everything = load_cases()
    oracles = {case.name: case.oracle for case in cases}
    for name, record in facts.items():
        record["oracle"] = versions[oracles[name]]
    for subject in sorted({case.subject for case in cases}):
        path = record_path(subject)
        before = json.loads(path.read_text()) if path.exists() else {}
        names = [case.name for case in everything if case.subject == subject]
        merged = {name: facts.get(name, before.get(name)) for name in names}
        content = {name: record for name, record in merged.items() if record}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def build_with(oracle: BuildKit, cases: list[Case]) -> dict[str, Facts]:
    """Build cases with an oracle, and report those that end as the case does not say."""
    facts: dict[str, Facts] = {}
    for case in cases:
        facts[case.name] = oracle.build(case)
        failed = "message" in facts[case.name]
        if failed != bool(case.error) and case.oracle == oracle.name:
            say(f"{oracle.name}: {case.name}: {facts[case.name].get('message', 'builds')}")
    return facts


def build_with_oracles(
    cases: list[Case], layout: Path, only: str
) -> tuple[dict[str, str], dict[str, Facts]]:
    """Build each case with its oracle, or all with one; return the versions and what was built."""
    versions: dict[str, str] = {}
    facts: dict[str, Facts] = {}
    for name in ORACLES:
        own = (
            cases if only == name else [case for case in cases if case.oracle == name and not only]
        )
        if own:
            with running_oracle(name, layout) as oracle:
                versions[name] = oracle.version()
                facts |= build_with(oracle, own)
    return versions, facts


def main() -> int:
    """Build, compare, print the differences and how many there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases whose subject or name contains one")
    parser.add_argument("--oracle", choices=ORACLES, default="", help="all cases with this one")
    parser.add_argument("--record", action="store_true", help="write the records")
    parser.add_argument("--records", action="store_true", help="ours beside the records")
    chosen = parser.parse_args()
    cases = load_cases(tuple(chosen.words))
    with tempfile.TemporaryDirectory(prefix="cntnr-bases-") as folder:
        layout = Path(folder)
        make_bases(layout)
        if chosen.records:
            return compare(cases, load_records(), build_cases(cases, layout), "cntnr: records")
        try:
            versions, facts = build_with_oracles(cases, layout, chosen.oracle)
        except OracleMissing as error:
            sys.stderr.write(f"build-conformance: {error}\n")
            return 1
        title = " and ".join(versions.values())
        if chosen.record:
            save_records(facts, cases, versions)
            say(f"{len(facts)} cases recorded from {title}")
            return 0
        if chosen.oracle:
            return compare(cases, load_records(), facts, f"{title} beside the records")
        return compare(cases, facts, build_cases(cases, layout), f"cntnr beside {title}")


def compare(
    cases: list[Case], expected: dict[str, Facts], actual: dict[str, Facts], title: str
) -> int:
    """Print where two builders differ."""
    same = 0
    for case in cases:
        problems = verdict(case, expected[case.name], actual[case.name])
        same += not problems
        for place, problem in problems.items():
            say(f"{case.name}: {place}: {problem}")
    known = sum(bool(case.differs) for case in cases)
    say(f"{title}: {same} of {len(cases)} cases as expected, {known} of them known to differ")
    return 0 if same == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
