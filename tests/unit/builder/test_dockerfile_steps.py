"""Cache keys of steps."""

from cntnr_compose.builder.dockerfile.steps import CopyStep, FolderStep, step_key


def test_a_key_changes_with_what_it_is_made_of() -> None:
    copy = CopyStep(sources=("a",), target="/")
    key = step_key("scratch", copy, "content")
    assert key == step_key("scratch", CopyStep(sources=("a",), target="/"), "content")
    others = {
        step_key("other", copy, "content"),
        step_key("scratch", copy, "changed"),
        step_key("scratch", CopyStep(sources=("a",), target="/b"), "content"),
        step_key("scratch", CopyStep(sources=("a",), target="/", extract=True), "content"),
        step_key("scratch", FolderStep(path="/"), "content"),
    }
    assert len(others - {key}) == 5
