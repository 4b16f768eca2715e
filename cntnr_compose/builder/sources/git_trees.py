"""Fetch the trees of git repositories that builds take files from; keep them for the next build."""

import contextlib
import os
from pathlib import Path

from cntnr_compose.builder.dockerfile.steps import short_hash
from cntnr_compose.builder.dockerfile.values.git_url import GitSource, without_password
from cntnr_compose.builder.sources import git
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, CommandFailed, ProgramMissing
from cntnr_compose.host import files


class GitTreeMissing(CntnrError):
    """A repository cannot be fetched, or has not what was asked for."""

    def __init__(self, where: str, remote: str, why: str, hint: str = "") -> None:
        address = without_password(remote)
        super().__init__(f"{where}: cannot fetch {address}: {why.replace(remote, address)}")
        self.hint = hint


def fetch_git_tree(source: GitSource, where: str) -> Path:
    """Return the folder of a tree, which is named after its commit; fetch it where it is missing.

    It is that of the whole repository: ``subdir`` is the caller's. Raises `GitTreeMissing`.
    """
    try:
        commit = _resolve(source, where)
        if commit and (known := _folder(source, commit)).is_dir():
            os.utime(known)  # what was not used for long is pruned first
            return known
        return _fetch(source, commit, where)
    except CommandFailed as error:
        raise GitTreeMissing(where, source.remote, *_explain(error)) from error
    except ProgramMissing as error:
        raise GitTreeMissing(where, source.remote, "there is no git here", error.hint) from error
    except TimeoutError as error:
        raise GitTreeMissing(where, source.remote, "it takes too long") from error
    except OSError as error:
        raise GitTreeMissing(where, source.remote, error.strerror or str(error)) from error


def _explain(error: CommandFailed) -> tuple[str, str]:
    """Return the last word of git, and what to do."""
    lines = [line for line in error.stderr.strip().splitlines() if line.strip()] or ["git failed"]
    why = next(
        (line for line in reversed(lines) if line.startswith(("fatal:", "error:"))), lines[-1]
    )
    is_locked = any(
        word in error.stderr for word in ("could not read Username", "Permission denied")
    )
    hint = (
        "log in as git does it: a credential helper, or a key in an agent for git@ and ssh://"
        if is_locked
        else "check the address, and whether this machine needs a proxy (HTTPS_PROXY)"
    )
    return why.removeprefix("fatal: ").removeprefix("error: "), hint


def _resolve(source: GitSource, where: str) -> str:
    """Find the commit of a ref; '' where only the whole repository tells."""
    if git.COMMIT.fullmatch(source.ref):
        _check(source, source.ref, where)
        return source.ref
    refs = git.list_refs(source.remote, source.ref)
    candidates = (source.ref, f"refs/heads/{source.ref}", f"refs/tags/{source.ref}")
    for name in candidates if source.ref else ("HEAD",):
        commit = refs.get(f"{name}^{{}}") or refs.get(name)
        if commit:
            _check(source, commit, where)
            return commit
    if source.ref and source.ref == source.checksum:
        return ""
    why = f"repository does not contain ref {source.ref or 'HEAD'}"
    raise GitTreeMissing(where, source.remote, why)


def _check(source: GitSource, commit: str, where: str) -> None:
    """Check that a commit is the one that the Dockerfile names."""
    if not commit.startswith(source.checksum):
        why = f"expected checksum to match {source.checksum}, got {commit}"
        raise GitTreeMissing(where, source.remote, why)


def _folder(source: GitSource, commit: str) -> Path:
    """Return where a tree is kept; its name is also the digest of its content."""
    how = f"{'-git' if source.keep_git_dir else ''}{'' if source.submodules else '-alone'}"
    name = short_hash(source.remote.encode())
    return paths.builds() / "git" / f"{name}-{commit}{how}"


def _fetch(source: GitSource, commit: str, where: str) -> Path:
    """Fetch a commit, or the whole repository to find it."""
    root = paths.make_data_folder(paths.builds() / "git")
    with files.staging_folder(root) as staging:
        if commit:
            names = [name for name in (commit, source.ref) if name]
            draft = staging / "single"
            with contextlib.suppress(CommandFailed):
                fetched = git.check_out(source.remote, names, draft, submodules=source.submodules)
                if fetched == commit:
                    return _keep(source, commit, draft)
        # The commit is in the middle of a branch, and the server gives no single ones away.
        draft = staging / "all"
        git.check_out(source.remote, [], draft, submodules=False)
        commit = git.find_commit(commit or source.checksum, draft)
        _check(source, commit, where)
        git.check_out_commit(commit, draft, submodules=source.submodules)
        return _keep(source, commit, draft)


def _keep(source: GitSource, commit: str, draft: Path) -> Path:
    """Give a complete tree its name."""
    if not source.keep_git_dir:
        files.remove_tree(draft / ".git")
        for name, _, others in os.walk(draft):
            inner = Path(name, ".git")  # a submodule's, which names a path of this machine
            if ".git" in others and not inner.is_symlink():
                inner.unlink()
    folder = _folder(source, commit)
    with contextlib.suppress(OSError):  # another build was quicker
        draft.rename(folder)
    return folder
