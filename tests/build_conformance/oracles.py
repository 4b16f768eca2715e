"""The builders that this one is compared with, and how one is started for a run."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.build_conformance.buildah import Buildah
from tests.build_conformance.oracle import BuildKit

ORACLES = {oracle.name: oracle for oracle in (BuildKit, Buildah)}


@contextlib.contextmanager
def running_oracle(name: str, layout: Path) -> Iterator[BuildKit]:
    """Start an oracle, and stop it at the end. Raises `OracleMissing`."""
    root = Path(os.environ.get("CNTNR_ORACLE_ROOT", "/"))
    room = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(
        prefix="cntnr-oracle-", dir=room, ignore_cleanup_errors=True
    ) as folder:
        oracle = ORACLES[name](Path(folder), root, layout)
        try:
            oracle.start()
            oracle.check()
            yield oracle
        finally:
            oracle.stop()
