"""Record holders for tests of the namespaces."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.host.namespaces.holder import NamespaceHolder


@pytest.fixture
def record_holder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[tuple[int, int]], NamespaceHolder]:
    """Make a runtime folder of the test's own, and record a holder there: pids 10 and 11."""
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", str(tmp_path / "run"))
    paths.secure_runtime()

    def record(start_times: tuple[int, int]) -> NamespaceHolder:
        holder = NamespaceHolder(parent=10, child=11, payload=2, born=start_times)
        paths.holder().mkdir()
        files.write_value(paths.holder() / "holder.json", vars(holder))
        return holder

    return record
