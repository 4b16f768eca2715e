"""Prepare the holder's tmpfs for tests of networks."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths


@pytest.fixture
def holder_tmpfs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put the holder's tmpfs into a folder of the test."""
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path)
    (tmp_path / "networks").mkdir()
    return tmp_path
