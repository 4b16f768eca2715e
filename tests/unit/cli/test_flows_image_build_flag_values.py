"""Values of docker's options of a build."""

from pathlib import Path

import pytest

from cntnr_compose.cli.flows.image_build import flag_values
from cntnr_compose.cli.flows.image_build.arguments import (
    BuildArguments,
    InsecureRefused,
    SquashRemoved,
    TagNeeded,
)
from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.model.service import Ulimit


def test_secrets_are_files_or_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("file", "both"):
        (tmp_path / name).write_text("x")
    texts = ["id=a,src=file", "id=b,env=V", "id=both", "id=V", "id=c,type=env", '"id=file"']
    secrets = flag_values.parse_secrets(texts, {"V": "value"})
    assert {key: (source.file, source.content) for key, source in secrets.items()} == {
        "a": (str(tmp_path / "file"), None),
        "b": ("", "value"),
        "both": (str(tmp_path / "both"), None),
        "V": ("", "value"),
        "c": ("", ""),
        "file": (str(tmp_path / "file"), None),
    }


@pytest.mark.parametrize(
    "text", ["id", "src=x", "id=a,x=y", "id=a,type=tcp", "id=none", "id=a,src=/", ""]
)
def test_bad_secrets_are_refused(text: str) -> None:
    with pytest.raises(BadOption, match="--secret"):
        flag_values.parse_secrets([text], {})


def test_hosts_have_addresses() -> None:
    texts = ["a:1.2.3.4", "a=5.6.7.8", "b:[::1]", "c=::1", "d:host-gateway"]
    assert flag_values.parse_hosts(texts) == {
        "a": ("1.2.3.4", "5.6.7.8"), "b": ("::1",), "c": ("::1",), "d": ("host-gateway",),
    }  # fmt: skip
    for text in ("a", "a:", ":1.2.3.4", "a:b", "a:1.2.3"):
        with pytest.raises(BadOption, match="--add-host"):
            flag_values.parse_hosts([text])


def test_limits_are_soft_and_hard() -> None:
    limits = flag_values.parse_ulimits(["nofile=5", "nproc=1:2", "core=-1", "cpu=3:-1"])
    assert limits == {
        "nofile": Ulimit(soft=5, hard=5), "nproc": Ulimit(soft=1, hard=2),
        "core": Ulimit(soft=-1, hard=-1), "cpu": Ulimit(soft=3, hard=-1),
    }  # fmt: skip
    for text in (
        "nofile",
        "nofile=",
        "nofile=2:1",
        "nofile=1:2:3",
        "=1",
        "nofile=a",
        "nofile=-1:5",
    ):
        with pytest.raises(BadOption, match="--ulimit"):
            flag_values.parse_ulimits([text])


def test_labels_and_arguments() -> None:
    assert flag_values.parse_labels(["a=b=c", "d"]) == {"a": "b=c", "d": ""}
    assert flag_values.parse_arguments(["a=b=c", "d"]) == {"a": "b=c", "d": None}
    assert flag_values.split_commas(["a,b", "c"]) == ("a", "b", "c")
    assert flag_values.parse_bytes("memory", "1k") == 1024
    for parse, text in ((flag_values.parse_labels, "=x"), (flag_values.parse_arguments, "=")):
        with pytest.raises(BadOption):
            parse([text])


def test_what_cannot_be_is_refused_and_what_does_nothing_told() -> None:
    with pytest.raises(SquashRemoved):
        BuildArguments(squash=True).check()
    with pytest.raises(TagNeeded):
        BuildArguments(push=True).check()
    with pytest.raises(InsecureRefused):
        BuildArguments(allow=("network.host,security.insecure",)).check()
    with pytest.raises(BadOption):
        BuildArguments(allow=("x",)).check()
    BuildArguments(allow=("network.host",), push=True, tag=("a",)).check()
    assert list(BuildArguments(builder="default", provenance="false").warnings()) == []
    told = list(BuildArguments(builder="x", sbom="true", ignored=("cpu_shares",)).warnings())
    assert len(told) == 3
    assert told[-1].startswith("--cpu-shares has no effect")
