#!/usr/bin/env python3
"""Write schemas/compose-spec.json: the published Compose schema without its prose.

    contrib/schema/update.py            from the check-jsonschema that is installed
    contrib/schema/update.py latest     from the newest check-jsonschema on PyPI, or from a version

Where the published schema came from stands in schemas/source.json; where docker compose differs from
it stands, row by row, in schemas/differences.json, which is written by hand. Each row is tried here.
"""

import hashlib
import importlib.metadata
import importlib.resources
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
COPY = "builtin_schemas/vendor/compose-spec.json"
PUBLISHED = (
    "https://raw.githubusercontent.com/compose-spec/compose-spec/main/schema/compose-spec.json"
)
PROSE = {"description", "title", "examples", "$comment"}
NAMED = {
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
}  # their keys are names, not keywords


def without_prose(node: Any, *, names: bool = False) -> Any:
    """Give a schema without descriptions, titles, examples and comments."""
    if isinstance(node, list):
        return [without_prose(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_prose(value, names=not names and key in NAMED)
        for key, value in node.items()
        if names or key not in PROSE
    }


def installed() -> tuple[str, bytes]:
    """Give version and schema of the check-jsonschema in this environment."""
    copy = importlib.resources.files("check_jsonschema").joinpath(COPY)
    return importlib.metadata.version("check-jsonschema"), copy.read_bytes()


def downloaded(version: str) -> tuple[str, bytes]:
    """Fetch check-jsonschema from the package index; give its version and schema."""
    wanted = "check-jsonschema" + ("" if version == "latest" else f"=={version}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, wanted],
            check=True,
        )
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            return wheel.name.split("-")[1], archive.read(f"check_jsonschema/{COPY}")


def main(words: list[str]) -> int:
    """Write the schema and its source, then try each row of differences."""
    version, text = downloaded(words[0]) if words else installed()
    schema = json.dumps(without_prose(json.loads(text)), indent=1) + "\n"
    source = {
        "package": "check-jsonschema",
        "version": version,
        "file": f"check_jsonschema/{COPY}",
        "published": PUBLISHED,
        "sha256": hashlib.sha256(text).hexdigest(),
        "license": "Apache-2.0",
    }
    (ROOT / "schemas/compose-spec.json").write_text(schema)
    (ROOT / "schemas/source.json").write_text(json.dumps(source, indent=2) + "\n")

    from cntnr_compose.compose.validation.schema import read_docker_schema

    read_docker_schema()
    print(f"schemas/compose-spec.json: from check-jsonschema {version}, sha256 {source['sha256']}")
    print(
        "now run tests/unit/compose/test_keys_are_complete.py: it names the tables without a new key"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
