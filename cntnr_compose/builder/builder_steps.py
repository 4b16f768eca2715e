"""What became of a step, by its key: a folder of changes in the layer store, or nothing."""

from cntnr_compose.builder.walker import StageState, StepResult
from cntnr_compose.core import paths
from cntnr_compose.host import files


def find_step(key: str, point: StageState) -> StepResult | None:
    """Look a step's result up; None where it has to be made."""
    made = files.read_value(paths.builds() / "steps" / f"{key}.json", StepResult)
    if made is None or made.below != point.lower:
        return None
    if made.folder and not (paths.layers() / made.folder / "fs").is_dir():
        return None
    return made


def save_step(key: str, made: StepResult) -> None:
    """Keep a step's result for the next time."""
    record = paths.builds() / "steps" / f"{key}.json"
    paths.make_data_folder(record.parent)
    files.write_value(record, made)
