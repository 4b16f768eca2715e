"""RUN: a container on the root that the step writes to, on a network of its own."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from cntnr_compose.builder.dockerfile.run import PROXY_VARIABLES
from cntnr_compose.builder.dockerfile.steps import RunMount, RunStep
from cntnr_compose.builder.source_files import BuildSourceMissing
from cntnr_compose.builder.walker import BuildRequest, BuildSecret
from cntnr_compose.builder.worker import run_network as outlet
from cntnr_compose.builder.worker.run_log import PrintLine, StepLog
from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.runtime import host_facts as facts
from cntnr_compose.containers.spec import process as environment
from cntnr_compose.containers.spec.inputs import ResolvedMount, SpecInputs
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, replace
from cntnr_compose.host import files, mounts, network, process
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import unpack
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

CHUNK = 1 << 16
SCRIPT_PATH = "/dev/.cntnr-script"
LOCALHOST_ENTRIES = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
SourceFolder = Callable[[str], Path]


class RunFailed(CntnrError):
    """The program of a RUN ended with another status than 0."""

    def __init__(self, where: str, words: tuple[str, ...], status: int, last: list[str]) -> None:
        self.status = status
        lines = "".join(f"\n  {line}" for line in last)
        command = " ".join(words)
        super().__init__(
            f'{where}: process "{command}" did not complete successfully: exit code: {status}{lines}'
        )


class SecretMissing(CntnrError):
    """A RUN requires a secret that the build was not given."""

    hint = "name it under `build: secrets:` of the service"

    def __init__(self, where: str, name: str) -> None:
        super().__init__(f"{where}: secret {name} is required, but not given to the build")


class ProgramRunner:
    """Runs programs of builds; ``place`` is a tmpfs that only this process sees."""

    def __init__(self, place: Path, warn: PrintLine) -> None:
        self._place, self._warn = place, warn
        self._facts: HostFacts | None = None
        # The holder's resolver is slirp4netns itself, which here asks the machine's.
        self._resolver, theirs = Path("/etc/resolv.conf").read_text(), network.host_resolv_conf()
        self._resolver_of_host = theirs
        outlet.bind_resolv_conf(theirs, place / "resolv.conf")

    def run(
        self,
        work: RunStep,
        root: Root,
        config: ImageConfig,
        request: BuildRequest,
        where: str,
        place: SourceFolder,
        say: PrintLine,
    ) -> None:
        """Run one program to its end. Raises `RunFailed`, `SecretMissing`, `SourceMissing`."""
        identity = f"build-{os.urandom(6).hex()}"
        bundle = self._place / identity
        with contextlib.ExitStack() as undo:
            bundle.mkdir(parents=True)
            undo.callback(files.remove_tree, bundle)
            network = _network(work, undo)
            step = _RunBundle(work, root, request, where, bundle, network, undo)
            spec = self._spec(step, config, identity, place)
            files.write_value(bundle / "config.json", spec)
            undo.enter_context(_remove_mount_points(root, spec))
            status, last = self._start(bundle, identity, say)
        if status != 0:
            raise RunFailed(where, work.argv or (work.script.partition("\n")[0],), status, last)

    def _spec(
        self, step: "_RunBundle", config: ImageConfig, identity: str, place: SourceFolder
    ) -> Tree:
        if self._facts is None:
            self._facts = facts.gather_host_facts()
        work, request = step.work, step.request
        (step.bundle / "hosts").write_text(LOCALHOST_ENTRIES + _hosts_lines(request))
        on_host = step.network == "host"
        resolver = self._resolver_of_host if on_host else self._resolver
        (step.bundle / "resolv.conf").write_text(resolver)
        resolved = step.prepare_mounts(place)
        env: dict[str, str | None] = {}
        env.update(environment.split_variable(word) for word in work.env)
        proxies = {name: value for name, value in request.args.items() if name in PROXY_VARIABLES}
        setting = SpecInputs(
            id=identity,
            rootfs=os.path.realpath(step.root.path),  # runc takes none that is behind a link
            network=step.network,
            mounts=resolved,
            etc_files={
                "/etc/hosts": str(step.bundle / "hosts"),
                "/etc/resolv.conf": str(step.bundle / "resolv.conf"),
            },
            environment={**proxies, **step.secret_env},
        )
        service = Service(
            name=request.service,
            entrypoint=(),
            command=work.argv or (SCRIPT_PATH,),
            environment=env,
            user=work.user,
            working_dir=work.working_dir,
            shm_size=request.shm_size,
            ulimits=request.ulimits,
            privileged=request.privileged,
        )
        bare = replace(config, env=(), entrypoint=None, cmd=None)
        with accounts.read_accounts(step.root) as (passwd, group):
            setting = replace(setting, passwd=passwd, group=group)
            made = build_runtime_spec(service, bare, setting, self._facts)
        for warning in made.warnings:
            self._warn(warning)
        return made.spec

    def _start(self, bundle: Path, identity: str, say: PrintLine) -> tuple[int, list[str]]:
        argv = [
            "runc",
            "--root",
            str(self._place / "runc"),
            "run",
            "--bundle",
            str(bundle),
            identity,
        ]
        log = StepLog(say)
        readable, writable = os.pipe2(os.O_CLOEXEC)
        with os.fdopen(readable, "rb", buffering=0) as output:
            with Path(os.devnull).open("rb") as nothing:
                try:
                    running = process.popen(
                        argv, stdin=nothing.fileno(), stdout=writable, stderr=writable
                    )
                finally:
                    os.close(writable)
            while part := output.read(CHUNK):
                log.feed(part)
        return running.wait(), log.finish()


def _network(work: RunStep, undo: contextlib.ExitStack) -> str:
    """Give the network of a RUN as `Setting` names it; this process is on the machine's own."""
    if work.network == "default":
        return undo.enter_context(outlet.run_network())
    return "new" if work.network == "none" else "host"


class _RunBundle:
    """One RUN with what has to be laid out for it, and taken away after it."""

    def __init__(
        self,
        work: RunStep,
        root: Root,
        request: BuildRequest,
        where: str,
        bundle: Path,
        network: str,
        undo: contextlib.ExitStack,
    ) -> None:
        self.work, self.root, self.request = work, root, request
        self.where, self.bundle, self.network, self.undo = where, bundle, network, undo
        self.secret_env: dict[str, str] = {}

    def prepare_mounts(self, place: SourceFolder) -> tuple[ResolvedMount, ...]:
        """Make the sources of all mounts ready."""
        found = []
        for number, mount in enumerate(self.work.mounts):
            match mount.type:
                case "bind":
                    found.append(self._bind(mount, place(mount.origin)))
                case "cache":
                    found.append(self._cache(mount))
                case "tmpfs":
                    found.append(ResolvedMount(target=mount.target, type="tmpfs", size=mount.size))
                case _:
                    found += self._secret(mount, number)
        if self.work.script:
            script = self.bundle / "script"
            script.write_text(self.work.script)
            script.chmod(0o755)
            found.append(ResolvedMount(target=SCRIPT_PATH, source=str(script), read_only=True))
        return tuple(found)

    def _bind(self, mount: RunMount, folder: Path) -> ResolvedMount:
        with Root(folder) as inside:
            source = inside.find(mount.source or ".")
        if source is None:
            raise BuildSourceMissing(self.where, mount.source, mount.origin or "the build context")
        if not mount.read_only:
            source = self._writable_overlay(source)
        return ResolvedMount(target=mount.target, source=str(source), read_only=mount.read_only)

    def _writable_overlay(self, source: Path) -> Path:
        """Show a folder, or a file in its own, so that what is written there goes with the step."""
        folder = source if source.is_dir() else source.parent
        draft = self.undo.enter_context(unpack.draft())
        upper, work, shown = (draft / name for name in ("upper", "work", "shown"))
        for path in (upper, work, shown):
            path.mkdir()
        mounts.mount_overlay([folder], upper, work, shown)
        self.undo.callback(mounts.unmount, shown)
        return shown if source == folder else shown / source.name

    def _cache(self, mount: RunMount) -> ResolvedMount:
        import hashlib

        name = hashlib.sha256((mount.id or mount.target).encode()).hexdigest()[:24]
        folder = paths.builds() / "mounts" / name
        if mount.sharing != "shared":
            self.undo.enter_context(files.file_lock(folder.with_suffix(".lock")))
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755 if mount.mode < 0 else mount.mode)
            os.chown(folder, mount.uid, mount.gid)
        return ResolvedMount(target=mount.target, source=str(folder), read_only=mount.read_only)

    def _secret(self, mount: RunMount, number: int) -> list[ResolvedMount]:
        secret = next((one for one in self.request.secrets if one.id == mount.id), None)
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
        os.chown(path, int(secret.uid or mount.uid), int(secret.gid or mount.gid))
        mode = mount.mode if mount.mode >= 0 else secret.mode
        path.chmod(0o400 if mode is None else mode)
        return [ResolvedMount(target=mount.target, source=str(path), read_only=True)]


def _secret_content(secret: BuildSecret) -> bytes:
    return Path(secret.file).read_bytes() if secret.content is None else secret.content.encode()


def _hosts_lines(request: BuildRequest) -> str:
    lines = [
        f"{address}\t{name}\n"
        for name, addresses in request.extra_hosts.items()
        for address in addresses
    ]
    return "".join(lines)


@contextlib.contextmanager
def _remove_mount_points(root: Root, spec: Tree) -> Iterator[None]:
    """Take away the mount points that runc makes where an image has none."""
    made: list[str] = []
    for mount in spec["mounts"]:
        path = mount["destination"].strip("/")
        while path and root.resolve(path) is None:
            made.append(path)
            path = path.rpartition("/")[0]
    try:
        yield
    finally:
        for path in sorted(set(made), key=lambda one: one.count("/"), reverse=True):
            place = root.find(path)
            if place is None or place.is_symlink():
                continue
            with contextlib.suppress(OSError):  # the program itself put something there
                if place.is_dir():
                    place.rmdir()
                elif place.stat().st_size == 0:
                    place.unlink()


def kill_all() -> None:
    """End everything that this process started: it is the first one in its pid namespace."""
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
