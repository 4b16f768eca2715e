"""Settings of docker's own command line."""

from pathlib import Path

import pytest

from cntnr_compose.core.docker_config import read_docker_setting


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ('{"psFormat": "{{.Name}}", "auths": {}}', "{{.Name}}"),
        ('{"psFormat": 3}', ""),
        ("{", ""),
        ("[]", ""),
        ("", ""),
        ("\x00", ""),
    ],
)
def test_a_file_that_is_not_as_it_should_be_counts_as_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, value: str
) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(content)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_docker_setting("psFormat") == value
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "other"))
    assert read_docker_setting("psFormat") == ""
    (tmp_path / "other").mkdir()
    (tmp_path / "other/config.json").mkdir()
    assert read_docker_setting("psFormat") == ""
