"""The user's settings: what is read, and what is said of a file that is wrong."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core.user_config import (
    ConfigInvalid,
    ProotSettings,
    UserConfig,
    config_file,
    read_user_config,
)


@pytest.fixture(autouse=True)
def config_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", "/home/somebody")
    (tmp_path / "cntnr").mkdir()
    return tmp_path


def write(text: str | bytes) -> None:
    config_file().write_bytes(text if isinstance(text, bytes) else text.encode())


def refusal(text: str | bytes) -> tuple[str, str]:
    write(text)
    with pytest.raises(ConfigInvalid) as caught:
        read_user_config()
    return str(caught.value).removeprefix(str(config_file())), caught.value.hint


def test_no_file_is_all_defaults():
    assert read_user_config() == UserConfig()


def test_empty_file_is_all_defaults():
    write("# nothing\n")
    assert read_user_config() == UserConfig()


def test_all_settings():
    write("""
[images]
additional-stores = ["/usr/share/cntnr/images", "~/lab"]
policy = "~/policy.json"

[build]
keep-storage = "20GB"
""")
    settings = read_user_config()
    assert settings.images.additional_stores == ("/usr/share/cntnr/images", "/home/somebody/lab")
    assert settings.images.policy == "/home/somebody/policy.json"
    assert settings.build.keep_storage == 20 << 30


def test_a_changed_file_is_read_again():
    write('[images]\npolicy = "reject"\n')
    assert read_user_config().images.policy == "reject"
    write('[images]\npolicy = "insecure"\n')
    assert read_user_config().images.policy == "insecure"


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("\n[image]\n", ":2: unknown table image", "did you mean images?"),
        (
            '[images]\n\npolcy = "reject"\n',
            ":3: unknown key images.polcy",
            "did you mean policy?",
        ),
        (
            '[build]\npolicy = "reject"\n',
            ":2: unknown key build.policy",
            "it can be keep-storage",
        ),
        ("images = 1\n", ":1: images is a table", "write [images] above its keys"),
        (
            '[images]\npolicy = "none"\n',
            ":2: images.policy: it is no absolute path",
            'write the absolute path of a policy file, "reject" or "insecure"',
        ),
        (
            "[images]\npolicy = true\n",
            ":2: images.policy: it is no text",
            'write the absolute path of a policy file, "reject" or "insecure"',
        ),
        (
            '[images]\nadditional-stores = "/a"\n',
            ":2: images.additional-stores: it is no list",
            'write absolute paths: ["/usr/share/cntnr/images"]',
        ),
        (
            'build.keep-storage = "lots"\n',
            ":1: build.keep-storage: invalid size: 'lots'",
            'write a size such as "20GB"',
        ),
        (
            "[build]\nkeep-storage = 20\n",
            ":2: build.keep-storage: it is no text",
            'write a size such as "20GB"',
        ),
        (
            '[build]\nkeep-storage = "99999999999999TB"\n',
            ":2: build.keep-storage: it is too large",
            'write a size such as "20GB"',
        ),
        (
            "[images]\npolicy = reject\n",
            ":2: it is no TOML: Invalid value",
            "docs/settings.md lists all settings",
        ),
        (b"# \xff\n", ":1: it is no UTF-8 text", "docs/settings.md lists all settings"),
        (
            b"#" * 70000,
            ": the settings are longer than 64 KiB",
            "docs/settings.md lists all settings",
        ),
    ],
)
def test_mistakes_are_told_with_their_line(text, said, hint):
    assert refusal(text) == (said, hint)


def test_deep_nesting_is_an_error():
    assert "nested too deeply" in refusal("a = " + "[" * 20000)[0]


def test_a_file_that_others_may_write_is_refused():
    write("")
    config_file().chmod(0o666)
    with pytest.raises(ConfigInvalid, match="others may write to it"):
        read_user_config()


def test_a_foreign_file_is_refused(monkeypatch):
    write("")
    real = os.fstat

    def status(descriptor: int) -> os.stat_result:
        return os.stat_result((*real(descriptor)[:4], 4711, *real(descriptor)[5:]))

    monkeypatch.setattr(os, "fstat", status)
    with pytest.raises(ConfigInvalid, match="belongs to another user"):
        read_user_config()


def test_a_pipe_does_not_block():
    os.mkfifo(config_file())
    with pytest.raises(ConfigInvalid, match="no regular file"):
        read_user_config()


def test_an_unreadable_file_is_an_error(monkeypatch):
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigInvalid, match="cannot read the settings: Permission denied"):
        read_user_config()


def test_a_folder_that_is_a_file_counts_as_absent(config_home, monkeypatch):
    file = config_home / "file"
    file.write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(file))
    assert read_user_config() == UserConfig()


def test_the_docs_list_every_setting():
    from cntnr_compose.core.user_config import SETTINGS

    page = (Path(__file__).parents[3] / "docs/settings.md").read_text()
    for table, keys in SETTINGS.items():
        for key in keys:
            assert f"| `[{table}]` `{key}` |" in page


def test_proot_is_a_path_and_a_switch():
    config_file().write_text('[proot]\npath = "~/proot"\nenabled = true\n')
    assert read_user_config().proot == ProotSettings(path=f"{Path.home()}/proot", enabled=True)
    config_file().write_text('[proot]\nenabled = "yes"\n')
    with pytest.raises(ConfigInvalid, match=r":2: proot.enabled: it is neither true nor false"):
        read_user_config()
