"""Digests of the files that containers get copies of."""

from pathlib import Path

from cntnr_compose.containers.bundle.file_digests import with_file_digests
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.project import FileSource
from cntnr_compose.model.service import FileMount
from tests.unit.reconcile.world import project, service


def test_only_copied_files_that_can_be_read_have_one(tmp_path: Path) -> None:
    copied, mounted, gone = (tmp_path / name for name in ("copied", "mounted", "gone"))
    copied.write_text("1")
    mounted.write_text("1")
    uses = tuple(FileMount(source=name, uid="7") for name in ("copied", "gone", "text", "none"))
    sources = {path.name: FileSource(key=path.name, file=str(path)) for path in (copied, gone)}
    desired = replace(
        project(service("a", secrets=uses, configs=(FileMount(source="mounted"),))),
        secrets=sources | {"text": FileSource(key="text", content="x")},
        configs={"mounted": FileSource(key="mounted", file=str(mounted))},
    )
    first = with_file_digests(Observed(project="p"), desired).file_digests
    assert first.keys() == {str(copied)}
    copied.write_text("2")
    assert with_file_digests(Observed(project="p"), desired).file_digests != first
