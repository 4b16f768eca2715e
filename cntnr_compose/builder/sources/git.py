"""Drive git: find the commit that a name stands for, and check out its files."""

import os
import re
from pathlib import Path

from cntnr_compose.core.errors import CommandFailed
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import process

TIMEOUT: Seconds = 30 * 60  # of one command; a clone may take long
PROTOCOLS = (
    "git:http:https:ssh"  # no program of its own for an address, and no path of this machine
)
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# What a repository could have git run.
HARMLESS = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false",
    "-c", "gc.auto=0", "-c", "init.defaultBranch=main",
    # Files of LFS stay what they are in the repository, as with BuildKit.
    "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false",
)  # fmt: skip
NO_SHALLOW = "does not support shallow"
INHERITED = re.compile(
    r"(https?|all|no)_proxy|SSH_AUTH_SOCK|GIT_SSL_\w+|SSL_CERT_\w+", re.IGNORECASE
)


def _env() -> dict[str, str]:
    """Build the environment: the user's agent, proxies and certificates; nobody is asked for a password."""
    kept = {name: value for name, value in os.environ.items() if INHERITED.fullmatch(name)}
    return process.base_env(
        **kept,
        GIT_TERMINAL_PROMPT="0",
        GIT_ALLOW_PROTOCOL=PROTOCOLS,
        GIT_SSH_COMMAND=os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
        LC_ALL="C",
    )


def _run(*words: str, folder: Path | None = None) -> str:
    """Run git. Raises `CommandFailed`, `ProgramMissing`, `TimeoutError`."""
    where = () if folder is None else ("-C", str(folder))
    with process.umask(0o022):
        argv = ["git", *where, *HARMLESS, *words]
        return process.run(argv, env=_env(), timeout=TIMEOUT).stdout


def list_refs(remote: str, ref: str) -> dict[str, str]:
    """Ask a repository for the refs of a name, HEAD for an empty one; return commits by full names."""
    name = ref or "HEAD"
    out = _run("ls-remote", "--quiet", "--", remote, name, f"{name}^{{}}")
    pairs = (line.split("\t", 1) for line in out.splitlines() if "\t" in line)
    return {full: commit for commit, full in pairs if COMMIT.fullmatch(commit)}


def check_out(remote: str, names: list[str], folder: Path, *, submodules: bool) -> str:
    """Fetch the first of the names that there is into a new folder, and check it out; return the commit.

    A name is that of a ref or a commit. Without names all branches and tags are fetched, and nothing is
    checked out.
    """
    _run("init", "--quiet", "--", str(folder))
    _run("remote", "add", "origin", remote, folder=folder)
    _fetch(names, folder)
    if not names:
        return ""
    commit = _run("rev-parse", "--verify", "FETCH_HEAD^{commit}", folder=folder).strip()
    check_out_commit(commit, folder, submodules=submodules)
    return commit


def check_out_commit(commit: str, folder: Path, *, submodules: bool) -> None:
    """Check out a commit that was fetched, with its submodules."""
    _run("checkout", "--quiet", "--force", "--detach", commit, folder=folder)
    if submodules and (folder / ".gitmodules").is_file():
        update = ("submodule", "--quiet", "update", "--init", "--recursive")
        try:
            _run(*update, "--depth=1", folder=folder)
        except CommandFailed as error:
            if NO_SHALLOW not in error.stderr:
                raise
            _run(*update, folder=folder)


def find_commit(beginning: str, folder: Path) -> str:
    """Return the whole name of a commit that was fetched. Raises `CommandFailed`."""
    return _run("rev-parse", "--verify", f"{beginning}^{{commit}}", folder=folder).strip()


def _fetch(names: list[str], folder: Path) -> None:
    """Fetch the names, without history where the server can do that; all there is without names."""
    everything = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    words = ("fetch", "--quiet", "--no-tags")
    if not names:
        _run(*words, "--", "origin", *everything, folder=folder)
        return
    for number, name in enumerate(names, 1):
        try:
            _run(*words, "--depth=1", "--", "origin", name, folder=folder)
        except CommandFailed as error:
            if NO_SHALLOW in error.stderr:
                _run(*words, "--", "origin", name, folder=folder)
            elif number == len(names):
                raise
            else:
                continue
        return
