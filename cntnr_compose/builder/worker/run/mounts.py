"""Prepare what a RUN mounts: folders, caches, secrets, SSH agents, and its script."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from cntnr_compose.builder.dockerfile.steps import RunMount, RunStep, short_hash
from cntnr_compose.builder.request import BuildRequest, BuildSecret
from cntnr_compose.builder.sources.source_files import BuildSourceMissing
from cntnr_compose.builder.worker.run.ssh_agent import serve_agent
from cntnr_compose.containers.spec.inputs import ResolvedMount
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files, mounts, process
from cntnr_compose.host.namespaces import owners
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import leases
from cntnr_compose.images.layers import unpack

SCRIPT_PATH = "/dev/.cntnr-script"
MAX_PRIVATE = 64  # folders of one private cache
SourceFolder = Callable[[str], Path]


class SecretMissing(CntnrError):
    """A RUN requires a secret that the build does not have."""

    hint = "name it under `build: secrets:` of the service"

    def __init__(self, where: str, name: str) -> None:
        super().__init__(f"{where}: secret {name} is required, but not given to the build")


class SshMissing(CntnrError):
    """A RUN requires an SSH agent or key that the build does not have."""

    hint = "name it under `build: ssh:` of the service, or with `build --ssh`"

    def __init__(self, where: str, name: str) -> None:
        super().__init__(f"{where}: ssh key {name} is required, but not given to the build")


class RunMounts:
    """The mounts of one RUN; ``undo`` removes them after it."""

    def __init__(
        self,
        step: RunStep,
        request: BuildRequest,
        where: str,
        bundle: Path,
        undo: contextlib.ExitStack,
    ) -> None:
        self.step, self.request, self.where = step, request, where
        self.bundle, self.undo = bundle, undo
        self.secret_env: dict[str, str] = {}
        self._agent_count = 0

    def prepare(self, open_source: SourceFolder) -> tuple[ResolvedMount, ...]:
        """Create the sources of all mounts.

        Raises `SecretMissing`, `SshMissing`, `AgentFailed`, `BuildSourceMissing`.
        """
        resolved = []
        for number, mount in enumerate(self.step.mounts):
            match mount.type:
                case "bind":
                    resolved.append(self._bind(mount, open_source(mount.origin)))
                case "cache":
                    origin = open_source(mount.origin) if mount.origin else None
                    resolved.append(self._cache(mount, origin))
                case "tmpfs":
                    tmpfs = ResolvedMount(target=mount.target, type="tmpfs", size=mount.size)
                    resolved.append(tmpfs)
                case "ssh":
                    resolved += self._ssh_agent(mount)
                case _:
                    resolved += self._secret(mount, number)
        if self.step.script:
            script = self.bundle / "script"
            script.write_text(self.step.script)
            script.chmod(0o755)
            resolved.append(ResolvedMount(target=SCRIPT_PATH, source=str(script), read_only=True))
        return tuple(resolved)

    def _bind(self, mount: RunMount, folder: Path) -> ResolvedMount:
        """Mount a folder or file of the context, a stage or an image."""
        with Root(folder) as inside:
            source = inside.find(mount.source or ".")
        if source is None:
            raise BuildSourceMissing(self.where, mount.source, mount.origin or "the build context")
        if not mount.read_only:
            source = self._writable_overlay(source)
        return ResolvedMount(target=mount.target, source=str(source), read_only=mount.read_only)

    def _writable_overlay(self, source: Path) -> Path:
        """Mount an overlay over a folder, or over a file's folder: what is written there is lost."""
        folder = source if source.is_dir() else source.parent
        draft = self.undo.enter_context(unpack.draft())
        upper, work, merged = (draft / name for name in ("upper", "work", "shown"))
        for path in (upper, work, merged):
            path.mkdir()
        mounts.mount_overlay([folder], upper, work, merged)
        self.undo.callback(mounts.unmount, merged)
        return merged if source == folder else merged / source.name

    def _cache(self, mount: RunMount, origin: Path | None) -> ResolvedMount:
        """Mount a cache folder; where it is new, with the content of ``origin``."""
        name = short_hash((mount.id or mount.target).encode())
        folder = paths.builds() / "mounts" / name
        if mount.sharing == "locked":
            self.undo.enter_context(files.file_lock(folder.with_suffix(".lock")))
        elif mount.sharing == "private":
            folder = self._lock_private(folder)
        with leases.hold_off(paths.images()), files.file_lock(folder.with_suffix(".new.lock")):
            if not leases.mark_used(folder):
                self._create_cache(mount, folder, origin)
        return ResolvedMount(target=mount.target, source=str(folder), read_only=mount.read_only)

    def _lock_private(self, folder: Path) -> Path:
        """Lock the folder, or another one where a program is using that."""
        for number in range(MAX_PRIVATE):
            own = folder.with_name(f"{folder.name}-{number}") if number else folder
            lock = files.file_lock(own.with_suffix(".lock"), wait=number == MAX_PRIVATE - 1)
            if self.undo.enter_context(lock):
                return own
        return folder

    def _create_cache(self, mount: RunMount, folder: Path, origin: Path | None) -> None:
        """Create a cache folder, complete or not at all."""
        draft = folder.with_name(f".draft-{folder.name}")
        files.remove_tree(draft)
        source = None
        if origin is not None:
            with Root(origin) as inside:
                source = inside.find(mount.source or ".")
            if source is None or not source.is_dir():
                raise BuildSourceMissing(self.where, mount.source, mount.origin)
            process.run(["cp", "--archive", "--no-target-directory", "--", str(source), str(draft)])
        else:
            draft.mkdir(parents=True)
        is_changed = mount.mode >= 0 or mount.uid or mount.gid
        if origin is None or (is_changed and not mount.source):
            draft.chmod(0o755 if mount.mode < 0 else mount.mode)
            owners.change_owner(str(draft), mount.uid, mount.gid)
        draft.rename(folder)

    def _secret(self, mount: RunMount, number: int) -> list[ResolvedMount]:
        """Write a secret to a file and to the environment, as the mount asks for."""
        secret = next((each for each in self.request.secrets if each.id == mount.id), None)
        if secret is None:
            if mount.required:
                raise SecretMissing(self.where, mount.id)
            return []
        content = _secret_content(secret)
        if mount.env:
            self.secret_env[mount.env] = content.decode(errors="surrogateescape")
        if not mount.target:
            return []
        path = self.bundle / f"secret-{number}"
        path.write_bytes(content)
        owners.change_owner(str(path), int(secret.uid or mount.uid), int(secret.gid or mount.gid))
        mode = mount.mode if mount.mode >= 0 else secret.mode
        path.chmod(0o400 if mode is None else mode)
        return [ResolvedMount(target=mount.target, source=str(path), read_only=True)]

    def _ssh_agent(self, mount: RunMount) -> list[ResolvedMount]:
        """Serve an agent to the program, by a socket of its own."""
        source = next((each for each in self.request.ssh if each.id == mount.id), None)
        if source is None:
            if mount.required:
                raise SshMissing(self.where, mount.id)
            return []
        target = mount.target or f"/run/buildkit/ssh_agent.{self._agent_count}"
        path = self.bundle / f"ssh-{self._agent_count}"
        self._agent_count += 1
        self.undo.enter_context(serve_agent(source, path, self.where))
        owners.change_owner(str(path), mount.uid, mount.gid)
        path.chmod(0o600 if mount.mode < 0 else mount.mode)
        self.secret_env.setdefault("SSH_AUTH_SOCK", target)
        return [ResolvedMount(target=target, source=str(path))]


def _secret_content(secret: BuildSecret) -> bytes:
    return Path(secret.file).read_bytes() if secret.content is None else secret.content.encode()
