"""The program of a provider is found as docker compose finds it."""

from pathlib import Path

import pytest

from cntnr_compose.providers.program import ProviderMissing, ProviderTypeInvalid, find_provider


def make_program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_a_plugin_comes_before_a_program_in_path(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": f":{tmp_path}/one:{tmp_path}/two"}
    with pytest.raises(ProviderMissing, match='exec: "cloud": executable file not found'):
        find_provider("db", "cloud", environment)
    prefixed = make_program(tmp_path / "one/docker-cloud")
    assert find_provider("db", "cloud", environment) == prefixed
    program = make_program(tmp_path / "two/cloud")
    assert find_provider("db", "cloud", environment) == program
    plugin = make_program(tmp_path / ".docker/cli-plugins/docker-cloud")
    assert find_provider("db", "cloud", environment) == plugin
    own = make_program(tmp_path / "config/cli-plugins/docker-cloud")
    configured = {**environment, "DOCKER_CONFIG": f"{tmp_path}/config"}
    assert find_provider("db", "cloud", configured) == own


def test_a_type_may_be_a_path(tmp_path: Path) -> None:
    program = make_program(tmp_path / "cloud")
    assert find_provider("db", program, {}) == program
    (tmp_path / "cloud").chmod(0o644)
    with pytest.raises(ProviderMissing):
        find_provider("db", program, {})


@pytest.mark.parametrize("kind", ["", "compose"])
def test_some_types_are_none(kind: str) -> None:
    with pytest.raises(ProviderTypeInvalid, match=f"'{kind}' is not a valid provider type"):
        find_provider("db", kind, {})
