"""What `--output` may say, and where files go."""

from pathlib import Path

import pytest

from cntnr_compose.builder.outputs import (
    CannotWriteOutput,
    OutputInvalid,
    open_exports,
    parse_output,
)
from cntnr_compose.builder.request import BuildOutput, BuildRequest


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("out", BuildOutput(type="local", dest="out")),
        ("-", BuildOutput(type="tar", dest="-")),
        ("type=tar", BuildOutput(type="tar", dest="-")),
        ("type=local,dest=a b", BuildOutput(type="local", dest="a b")),
        ('type=local,"dest=a,b"', BuildOutput(type="local", dest="a,b")),
        ("type=oci,dest=x.tar,compression=zstd", BuildOutput(type="oci", dest="x.tar", compression="zstd")),
        ("type=oci,dest=x,tar=false", BuildOutput(type="oci", dest="x", is_folder=True)),
        ("type=docker", BuildOutput(type="docker")),
        ('type=image,"name=a:1,b:2",push=true', BuildOutput(type="image", names=("a:1", "b:2"), push=True)),
        ("type=registry,name=a", BuildOutput(type="registry", names=("a",), push=True)),
        ("type=cacheonly", BuildOutput(type="cacheonly")),
    ],
)  # fmt: skip
def test_outputs_are_read_as_docker_does(text: str, output: BuildOutput) -> None:
    assert parse_output(text) == output


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("type=local", "it needs dest=FOLDER"),
        ("type=local,dest=-", "files cannot go to standard output"),
        ("type=mars,dest=x", "the type is one of local, tar, oci"),
        ("dest=x,y", "y is not KEY=VALUE"),
        ("type=tar,push=true", "push is not known for type=tar"),
        ("type=image,push=perhaps", "push is true or false"),
        ("type=oci,tar=false", "a layout needs dest=FOLDER"),
        ("type=oci,dest=x,compression=lzma", "compression is gzip or zstd"),
        ("", "the type is one of"),
    ],
)
def test_what_is_not_possible_is_refused(text: str, why: str) -> None:
    with pytest.raises(OutputInvalid, match=why):
        parse_output(text)


def request(*outputs: BuildOutput) -> BuildRequest:
    return BuildRequest(
        service="w", names=("n",), context="/", file="F", text="FROM scratch", outputs=outputs
    )


def test_a_file_gets_its_name_when_all_has_gone_well(tmp_path: Path) -> None:
    tar = BuildOutput(type="tar", dest=str(tmp_path / "x.tar"))
    with open_exports([request(tar)]) as (opened,):
        assert opened.exports[0].type == "tar"
        assert not (tmp_path / "x.tar").exists()
    assert (tmp_path / "x.tar").exists()
    (tmp_path / "x.tar").unlink()
    with pytest.raises(RuntimeError), open_exports([request(tar)]):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_told_before_the_build(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    for output in (
        BuildOutput(type="tar", dest=f"{tmp_path}/nowhere/x"),
        BuildOutput(type="oci", dest=f"{tmp_path}/nowhere/x"),
        BuildOutput(type="oci", dest=f"{tmp_path}/full"),
        BuildOutput(type="oci", dest=f"{tmp_path}/full", is_folder=True),
        BuildOutput(type="local", dest=f"{tmp_path}/full/x"),
    ):
        with pytest.raises(CannotWriteOutput), open_exports([request(output)]):
            pytest.fail("not reached")


def test_only_some_outputs_need_an_image_and_only_some_name_it() -> None:
    facts = {
        kind: (made.needs_image, made.is_tagged)
        for kind, made in {
            "none": request(),
            "local": request(BuildOutput(type="local", dest="x")),
            "cache": request(BuildOutput(type="cacheonly")),
            "archive": request(BuildOutput(type="oci", dest="x")),
            "docker": request(BuildOutput(type="docker")),
            "both": request(BuildOutput(type="tar", dest="x"), BuildOutput(type="image")),
        }.items()
    }
    assert facts == {
        "none": (True, True), "local": (False, False), "cache": (False, False),
        "archive": (True, False), "docker": (True, True), "both": (True, True),
    }  # fmt: skip
