"""Isolate unit tests: no program is started, no other machine is asked, files are below a folder."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import NoReturn

import pytest


@pytest.fixture(autouse=True)
def nothing_leaks_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that starts a program or connects to another machine."""

    def refuse(*words: object, **_: object) -> NoReturn:
        pytest.fail(f"a unit test reached out of the process: {words[:2]}", pytrace=True)

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    for name in ("system", "posix_spawn", "posix_spawnp", "execve", "execv", "fork"):
        monkeypatch.setattr(os, name, refuse)
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            refuse("connect", address)
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture(autouse=True)
def own_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Point every place on disk at a folder of the test, which goes with it: nobody's home is touched."""
    home = tmp_path_factory.getbasetemp() / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", str(home / "run"))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    yield
    shutil.rmtree(home, ignore_errors=True)
