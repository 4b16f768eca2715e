"""Build cases with cntnr, as an ordinary user, many in one command; and judge what came of them."""

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.build_conformance.bases import base_files
from tests.build_conformance.case import Case, write_context
from tests.build_conformance.image_facts import Facts, differences, facts_of_layout, open_layout
from tests.build_conformance.oracle import tags
from tests.scenarios.lib import User, find_user, remove
from tests.scenarios.registry import Registry, served_registry

NAME = "org.opencontainers.image.ref.name"


def build_cases(cases: list[Case], layout: Path) -> dict[str, Facts]:
    """Build cases as the user of the scenarios."""
    user = find_user()
    try:
        with served_registry(user) as registry:
            return build_as(user, registry, cases, layout)
    finally:
        remove(user)


def build_as(user: User, registry: Registry, cases: list[Case], layout: Path) -> dict[str, Facts]:
    """Build the cases that should succeed in one command, the others one by one; describe each."""
    for tag in tags(layout):
        registry.push(layout, tag, f"library/{tag}:latest")
    folder = user.base / "projects/build-conformance"
    for case in cases:
        write_context(case, folder / case.name)
    (folder / "compose.yaml").write_text(json.dumps(compose_file(cases)))
    own_tree(user, folder)
    good = [case.name for case in cases if not case.fails_here]
    done = user.run("cntnr", "compose", "build", *good, cwd=folder, timeout=300) if good else None
    facts: dict[str, Facts] = {}
    for case in cases:
        # Where one of them fails, each has to be tried.
        if case.fails_here or (done is not None and done.returncode):
            each = user.run("cntnr", "compose", "build", case.name, cwd=folder)
            if each.returncode:
                facts[case.name] = {"exit": each.returncode, "message": each.stderr.strip()}
                continue
        facts[case.name] = describe(user.data / "images", case.name, layout)
    return facts


def own_tree(user: User, folder: Path) -> None:
    """Give a tree to the user, links and set-id bits as they are."""
    if os.getuid() != 0:
        return
    for above, folders, names in os.walk(folder):
        for name in (*folders, *names, "."):
            path = Path(above, name)
            mode = path.lstat().st_mode
            os.lchown(path, user.uid, user.gid)
            if not path.is_symlink():
                path.chmod(mode & 0o7777)


def compose_file(cases: list[Case]) -> dict[str, Any]:
    """Write the cases as services of one project."""
    services, secrets = {}, {}
    for case in cases:
        build = dict(case.build)
        build["context"] = f"./{case.name}/{build.get('context', '')}"
        if "secrets" in build:
            for name, file in build["secrets"].items():
                secrets[f"{case.name}-{name}"] = {"file": f"./{case.name}/{file}"}
            build["secrets"] = [
                {"source": f"{case.name}-{name}", "target": name} for name in build["secrets"]
            ]
        if "additional_contexts" in build:
            build["additional_contexts"] = {
                name: text if "://" in text else f"./{case.name}/{text}"
                for name, text in build["additional_contexts"].items()
            }
        services[case.name] = {"build": _escaped(build), "image": f"conformance/{case.name}"}
    return {"services": services, "secrets": secrets}


def _escaped(tree: Any) -> Any:
    """Keep `$` from being a variable of the compose file."""
    if isinstance(tree, dict):
        return {key: _escaped(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_escaped(value) for value in tree]
    return tree.replace("$", "$$") if isinstance(tree, str) else tree


def describe(images: Path, name: str, layout: Path) -> Facts:
    """Describe an image of the user's store."""
    ref = f"docker.io/conformance/{name}:latest"
    index = json.loads((images / "index.json").read_text())
    for manifest in index["manifests"]:
        if manifest.get("annotations", {}).get(NAME) == ref:
            return facts_of_layout(open_layout(images), manifest["digest"], base_files(layout))
    return {"exit": 0, "message": "there is no image"}


def verdict(case: Case, expected: Facts, actual: Facts) -> dict[str, str]:
    """List what is other than it should be; a difference that the case names and that is gone is one, too."""
    places = _compare(case, expected, actual)
    known = {pattern: [p for p in places if re.fullmatch(pattern, p)] for pattern in case.differs}
    problems = {
        pattern: "is said to differ, and does not" for pattern, hits in known.items() if not hits
    }
    accepted = {place for hits in known.values() for place in hits}
    return problems | {place: text for place, text in places.items() if place not in accepted}


def _compare(case: Case, expected: Facts, actual: Facts) -> dict[str, str]:
    failed_there, failed_here = "message" in expected, "message" in actual
    if failed_there and failed_here:
        places = {}
        if expected["exit"] != actual["exit"]:
            places["exit"] = f"should be {expected['exit']}, is {actual['exit']}"
        for side, facts in (("its", expected), ("our", actual)):
            if not case.error or not re.search(case.error, facts["message"]):
                places[f"{side} message"] = facts["message"]
        return places
    if failed_there or failed_here:
        side = "there" if failed_there else "here"
        return {f"fails {side}": (expected if failed_there else actual)["message"]}
    both = {key for key in expected if key in actual}  # buildah's history is left out
    return differences({key: expected[key] for key in both}, {key: actual[key] for key in both})
