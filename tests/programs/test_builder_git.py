"""git: how it is called for ADD, and its words turned into ours."""

from pathlib import Path

import pytest

from cntnr_compose.builder.dockerfile.values.git_url import GitSource
from cntnr_compose.builder.sources import git
from cntnr_compose.builder.sources.git_trees import GitTreeMissing, fetch_git_tree
from tests.fakes.programs import Programs

A, B = "a" * 40, "b" * 40
REMOTE = "https://me:pw@h.test/r.git"
# Answers as git does: a branch and an annotated tag of one name, a tree with a file, no shallow copies.
FAKE = f"""
while [ $# -gt 0 ]; do
  case $1 in
    -C) folder=$2; shift ;;
    ls-remote) printf '{A}\\trefs/heads/v\\n{B}\\trefs/tags/v\\n{A}\\trefs/tags/v^{{}}\\n'; exit ;;
    init) for last; do :; done; mkdir -p "$last/.git"; exit ;;
    --depth=1) echo 'fatal: dumb http transport does not support shallow capabilities' >&2; exit 128 ;;
    rev-parse) echo {A}; exit ;;
    checkout) echo content >"$folder/f"; exit ;;
  esac
  shift
done
"""


def words(programs: Programs, verb: str) -> list[list[str]]:
    """Return what follows a verb in each call."""
    calls = (call for call in programs.calls("git") if verb in call)
    return [call[call.index(verb) + 1 :] for call in calls]


def test_a_tree_is_fetched_once_and_kept_under_its_commit(programs: Programs) -> None:
    programs.add("git", FAKE)
    source = GitSource(remote=REMOTE, ref="v")
    tree = fetch_git_tree(source, "x:1")
    assert (tree / "f").read_text() == "content\n"
    assert tree.name.endswith(f"-{A}")
    assert not (tree / ".git").exists()
    assert words(programs, "ls-remote") == [["--quiet", "--", REMOTE, "v", "v^{}"]]
    fetches = [["--quiet", "--no-tags", *depth, "--", "origin", A] for depth in (["--depth=1"], [])]
    assert words(programs, "fetch") == fetches
    assert fetch_git_tree(source, "x:1") == tree
    assert len(words(programs, "fetch")) == 2
    exact = GitSource(remote=REMOTE, ref=A, checksum=A[:7])
    assert fetch_git_tree(exact, "x:1") == tree  # nobody is asked
    assert len(words(programs, "ls-remote")) == 2


def test_git_is_asked_for_nothing_that_it_should_not_do(programs: Programs, tmp_path: Path) -> None:
    programs.add("git", f'env >"{tmp_path}/env"')
    assert git.list_refs("https://h.test/r.git", "--upload-pack=evil") == {}
    (call,) = programs.calls("git")
    assert call.index("--upload-pack=evil") > call.index("--")
    assert "core.hooksPath=/dev/null" in call
    env = (tmp_path / "env").read_text().splitlines()
    assert {"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=git:http:https:ssh"} <= set(env)


@pytest.mark.parametrize(
    ("source", "script", "message"),
    [
        (GitSource(remote=REMOTE, ref="w"), FAKE, "repository does not contain ref w"),
        (GitSource(remote=REMOTE, ref="v", checksum=B), FAKE, f"expected checksum to match {B}, got {A}"),
        (GitSource(remote=REMOTE, ref="v"), f"echo 'fatal: {REMOTE} is away' >&2; exit 128",
         "https://me:xxxxx@h.test/r.git is away"),
        (GitSource(remote=REMOTE), "exit 1", "git failed"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_told_without_the_password(
    programs: Programs, source: GitSource, script: str, message: str
) -> None:
    programs.add("git", script)
    with pytest.raises(GitTreeMissing) as caught:
        fetch_git_tree(source, "Dockerfile:3")
    start = "Dockerfile:3: cannot fetch https://me:xxxxx@h.test/r.git: "
    assert str(caught.value) == f"{start}{message}"
