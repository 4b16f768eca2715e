#!/usr/bin/env python3
"""Give an unprivileged user a copy of this work tree and its virtual environment.

Root's clone often lies where nobody else may look (/root/…, mode 0700), and cntnr is tested as an
ordinary user. So the tree goes to /var/tmp/cntnr-dev-HASH/tree and the libraries of .venv to
/var/tmp/cntnr-dev-HASH/venv, both owned by that user and compiled, and the place is printed.
Files that git ignores are not copied, and what the user made beside the copies stays.

    mirror.py USER            refresh the copy and print where it is
    mirror.py USER --remove   remove it
"""

import compileall
import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "contrib/setup/scripts").iterdir())
SKIPPED = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def place(user: str, root: Path = ROOT) -> Path:
    """Name the folder of the copy for this tree and this user."""
    name = hashlib.sha256(f"{root}\0{user}".encode()).hexdigest()[:12]
    return Path(f"/var/tmp/cntnr-dev-{name}")


def tracked(root: Path) -> list[str]:
    """List the files of the tree that git knows or would know, as relative names."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-coz", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = os.fsdecode(listed.stdout).split("\0")
        return [name for name in names if name and (root / name).exists()]
    found = []  # an unpacked archive, without git
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [str((Path(folder) / name).relative_to(root)) for name in files]
    return found


def copy_file(source: Path, target: Path) -> bool:
    """Bring ``target`` up to ``source``; tell whether it had to change."""
    if source.is_symlink():
        wanted = source.readlink()
        if target.is_symlink() and target.readlink() == wanted:
            return False
        target.unlink(missing_ok=True)
        target.symlink_to(wanted)
        return True
    have, want = (target.lstat() if os.path.lexists(target) else None), source.stat()
    if (
        have
        and stat.S_ISREG(have.st_mode)
        and (have.st_size, have.st_mtime_ns) == (want.st_size, want.st_mtime_ns)
        and stat.S_IMODE(have.st_mode) & 0o111 == stat.S_IMODE(want.st_mode) & 0o111
    ):
        return False
    # A new inode: a running container may have the old one mounted, a running script may read it.
    fresh = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o755 if want.st_mode & 0o111 else 0o644)
    os.utime(fresh, ns=(want.st_atime_ns, want.st_mtime_ns))
    fresh.replace(target)
    return True


def refresh_tree(base: Path, owner: pwd.struct_passwd) -> None:
    """Copy what changed, remove what we copied before and is gone, compile."""
    tree, manifest = base / "tree", base / "manifest"
    names = tracked(ROOT)
    before = set(manifest.read_text().split("\0")) if manifest.exists() else set()
    for gone in sorted(before - set(names) - {""}, reverse=True):
        with contextlib.suppress(OSError):
            (tree / gone).unlink()
            (tree / gone).parent.rmdir()
    for name in names:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            continue
        copy_file(ROOT / name, target)
    manifest.write_text("\0".join(names))
    compileall.compile_dir(tree / "cntnr_compose", quiet=1)
    for folder, folders, files in os.walk(tree):
        for entry in (".", *folders, *files):
            path = Path(folder) / entry
            if path.lstat().st_uid != owner.pw_uid:
                os.lchown(path, owner.pw_uid, owner.pw_gid)


def refresh_environment(base: Path) -> None:
    """Copy the libraries of .venv, with the tree's own package in front."""
    stamp = (ROOT / ".venv/cntnr-stamp").read_text()
    venv, mark = base / "venv", base / "venv-stamp"
    if (
        mark.exists()
        and mark.read_text() == stamp
        and all((venv / "bin" / script.name).exists() for script in SCRIPTS)
    ):
        return
    if venv.exists():
        shutil.rmtree(venv)
    python = (ROOT / ".venv/bin/python").resolve()
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    [source] = ROOT.glob(".venv/lib/python3*/site-packages")
    [target] = venv.glob("lib/python3*/site-packages")
    shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
    for editable in [*target.glob("*cntnr*.pth"), *target.glob("cntnr-*.dist-info")]:
        shutil.rmtree(editable) if editable.is_dir() else editable.unlink()
    (target / "cntnr.pth").write_text(f"{base}/tree\n")
    for script in SCRIPTS:
        target_script = venv / "bin" / script.name
        target_script.write_text(script.read_text().replace("#!python", f"#!{venv}/bin/python", 1))
        target_script.chmod(0o755)
    compileall.compile_dir(target, quiet=2)
    subprocess.run(["chmod", "-R", "a+rX", venv], check=True)
    mark.write_text(stamp)


def main() -> None:
    """Refresh or remove the copy."""
    user = sys.argv[1]
    owner, base = pwd.getpwnam(user), place(user)
    os.umask(0o022)
    base.mkdir(mode=0o755, exist_ok=True)
    if base.is_symlink() or base.lstat().st_uid != os.getuid():
        sys.exit(f"cannot use {base}: it belongs to somebody else")
    if "--remove" in sys.argv:
        shutil.rmtree(base)
        return
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refresh_environment(base)
        refresh_tree(base, owner)
    print(base)


if __name__ == "__main__":
    main()
