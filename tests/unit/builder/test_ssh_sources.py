"""What a build may use of the user's SSH agent and keys."""

import socket
from pathlib import Path

import pytest

from cntnr_compose.builder.sources.ssh_sources import CannotBuild, SshSource, find_ssh_sources


def find(folder: Path, own: dict[str, str], *words: str) -> list[SshSource]:
    return list(find_ssh_sources(str(folder), "web", own, words))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "agent"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    return path


def test_the_default_is_the_user_s_agent(agent: Path, tmp_path: Path) -> None:
    expected = [SshSource(id="default", socket=str(agent))]
    assert find(tmp_path, {}, "default") == find(tmp_path, {"default": ""}) == expected


def test_keys_are_files_and_the_command_line_wins(agent: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    assert find(tmp_path, {"k": "c"}, f"k=a,{tmp_path}/b", f"s={agent}") == [
        SshSource(id="k", keys=(f"{tmp_path}/a", f"{tmp_path}/b")),
        SshSource(id="s", socket=str(agent)),
    ]


def test_what_does_not_exist_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    for word, text in (
        ("nonsense", 'invalid ssh key "nonsense"'),
        ("=x", 'invalid ssh key "=x"'),
        ("k=nope", "nope does not exist"),
        ("default", "SSH_AUTH_SOCK is not set"),
    ):
        with pytest.raises(CannotBuild, match=text):
            find(tmp_path, {}, word)
