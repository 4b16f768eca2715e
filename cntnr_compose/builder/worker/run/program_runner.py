"""Run the program of a RUN with runc: on the root that the step changes, in a network of its own."""

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.dockerfile.run import PROXY_VARIABLES
from cntnr_compose.builder.dockerfile.steps import RunStep
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.worker.run.log import PrintLine, StepLog
from cntnr_compose.builder.worker.run.mounts import SCRIPT_PATH, RunMounts, SourceFolder
from cntnr_compose.builder.worker.run.network import bind_resolv_conf, run_network
from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.bundle.proot import find_proot
from cntnr_compose.containers.runtime.host_facts import gather_host_facts
from cntnr_compose.containers.spec.inputs import SpecInputs
from cntnr_compose.containers.spec.process import split_variable
from cntnr_compose.containers.spec.resources import LIMIT_MEMORY
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, replace
from cntnr_compose.host import files, network, process
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.host import ONE_ID_HINT, HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Limits, Service

CHUNK = 1 << 16
REFUSALS = ("Invalid argument", "Operation not permitted")  # of chown(2), setuid(2) and their like
HOSTNAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
HOSTNAME_ARG = "BUILDKIT_SANDBOX_HOSTNAME"
HOSTNAME = (
    "buildkitsandbox"  # BuildKit's: the machine's own would make another image of each machine
)
HOSTS = "127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n"


class RunFailed(CntnrError):
    """The program of a RUN ended with another status than 0."""

    def __init__(
        self,
        where: str,
        words: tuple[str, ...],
        status: int,
        last: list[str],
        *,
        one_id: bool = False,
    ) -> None:
        lines = "".join(f"\n  {line}" for line in last)
        command = " ".join(words)
        super().__init__(
            f'{where}: process "{command}" did not complete successfully: exit code: {status}{lines}'
        )
        if one_id and any(word in line for line in last for word in REFUSALS):
            self.hint = f"only root exists here, which may be why: {ONE_ID_HINT}"


class ProgramRunner:
    """Run the programs of all builds; ``folder`` is a tmpfs that only this process sees."""

    def __init__(self, folder: Path, warn: PrintLine) -> None:
        self._folder, self._warn = folder, warn
        self._facts: HostFacts | None = None
        # The resolver of the namespaces is slirp4netns, which here needs the host's.
        self._resolv_conf = Path("/etc/resolv.conf").read_text()
        self._host_resolv_conf = network.host_resolv_conf()
        bind_resolv_conf(self._host_resolv_conf, folder / "resolv.conf")

    def run(
        self,
        step: RunStep,
        root: Root,
        config: ImageConfig,
        request: BuildRequest,
        where: str,
        open_source: SourceFolder,
        print_line: PrintLine,
        terminal: int = -1,
    ) -> None:
        """Run one program to its end, on a terminal where there is one.

        Raises `RunFailed`, `SecretMissing`, `BuildSourceMissing`, `ProotMissing`.
        """
        bundle = self._folder / f"build-{os.urandom(6).hex()}"
        with contextlib.ExitStack() as undo:
            bundle.mkdir(parents=True)
            undo.callback(files.remove_tree, bundle)
            mounts = RunMounts(step, request, where, bundle, undo)
            inputs = SpecInputs(
                id=bundle.name,
                rootfs=os.path.realpath(root.path),  # runc accepts no path through a link
                network=_enter_network(step, undo),
                proot=find_proot() if request.proot else None,
                etc_files=self._write_etc_files(bundle, request, step.network),
                mounts=mounts.prepare(open_source),
                environment={**_proxies(request), **mounts.secret_env},
                answers_new_calls=True,
            )
            service = _service(step, request, tty=terminal >= 0)
            spec = self._build_spec(service, config, root, inputs)
            spec["hostname"] = _hostname(request)
            files.write_value(bundle / "config.json", spec)
            undo.enter_context(_remove_mount_points(root, spec))
            if terminal >= 0:
                process.popen(
                    self._run_argv(bundle), stdin=terminal, stdout=terminal, stderr=terminal
                ).wait()
                return
            status, last = self._run_bundle(bundle, print_line)
        if status != 0:
            words = step.argv or (step.script.partition("\n")[0],)
            raise RunFailed(where, words, status, last, one_id=self._host_facts().mapped_ids == 1)

    def _write_etc_files(self, bundle: Path, request: BuildRequest, network: str) -> dict[str, str]:
        hosts = HOSTS.format(_hostname(request)) + _hosts_lines(request)
        (bundle / "hosts").write_text(hosts)
        resolv_conf = self._host_resolv_conf if network == "host" else self._resolv_conf
        (bundle / "resolv.conf").write_text(resolv_conf)
        return {f"/etc/{name}": str(bundle / name) for name in ("hosts", "resolv.conf")}

    def _build_spec(
        self, service: Service, config: ImageConfig, root: Root, inputs: SpecInputs
    ) -> Tree:
        """Build the OCI runtime spec; warn of what it cannot contain here."""
        config = replace(config, env=(), entrypoint=None, cmd=None)  # the service has them
        with accounts.read_accounts(root) as (passwd, group):
            inputs = replace(inputs, passwd=passwd, group=group)
            result = build_runtime_spec(service, config, inputs, self._host_facts())
        for warning in result.warnings:
            # The only limit of a build comes from the command line.
            self._warn(warning.replace(f"services.{service.name}.{LIMIT_MEMORY[1]}", "--memory"))
        return result.spec

    def _host_facts(self) -> HostFacts:
        if self._facts is None:
            self._facts = gather_host_facts()
        return self._facts

    def _run_argv(self, bundle: Path) -> list[str]:
        return [
            "runc", "--root", str(self._folder / "runc"),
            "run", "--bundle", str(bundle), bundle.name,
        ]  # fmt: skip

    def _run_bundle(self, bundle: Path, print_line: PrintLine) -> tuple[int, list[str]]:
        """Run a bundle; return the exit status and the last lines."""
        log = StepLog(print_line)
        readable, writable = os.pipe2(os.O_CLOEXEC)
        with os.fdopen(readable, "rb", buffering=0) as output:
            with Path(os.devnull).open("rb") as null:
                try:
                    running = process.popen(
                        self._run_argv(bundle),
                        stdin=null.fileno(),
                        stdout=writable,
                        stderr=writable,
                    )
                finally:
                    os.close(writable)
            while part := output.read(CHUNK):
                log.feed(part)
        return running.wait(), log.finish()


def _enter_network(step: RunStep, undo: contextlib.ExitStack) -> str:
    """Return the network of a RUN as `SpecInputs` names it; this process is on the host's network."""
    if step.network == "default":
        return undo.enter_context(run_network())
    return "new" if step.network == "none" else "host"


def _service(step: RunStep, request: BuildRequest, *, tty: bool) -> Service:
    """Describe the program as a service, for the runtime spec."""
    env: dict[str, str | None] = {}
    env.update(split_variable(word) for word in step.env)
    return Service(
        name=request.service,
        entrypoint=(),
        command=step.argv or (SCRIPT_PATH,),
        environment=env,
        user=step.user,
        working_dir=step.working_dir,
        shm_size=request.shm_size,
        ulimits=request.ulimits,
        privileged=request.privileged,
        tty=tty,
        limits=Limits(memory=request.memory),
    )


def _hostname(request: BuildRequest) -> str:
    """Return the host name that programs see."""
    name = request.args.get(HOSTNAME_ARG, "")
    return name if HOSTNAME_PATTERN.fullmatch(name) else HOSTNAME


def _proxies(request: BuildRequest) -> dict[str, str]:
    """Return the proxies of the build, each in both spellings as BuildKit has it."""
    args = {name: value for name, value in request.args.items() if name in PROXY_VARIABLES}
    both = {each: value for name, value in args.items() for each in (name.upper(), name.lower())}
    return {**both, **args}


def _hosts_lines(request: BuildRequest) -> str:
    lines = [
        f"{address}\t{name}\n"
        for name, addresses in request.extra_hosts.items()
        for address in addresses
    ]
    return "".join(lines)


@contextlib.contextmanager
def _remove_mount_points(root: Root, spec: Tree) -> Iterator[None]:
    """Remove afterwards the mount points that runc creates where an image has none."""
    missing: set[str] = set()
    for mount in spec["mounts"]:
        path = mount["destination"].strip("/")
        while path and root.resolve(path) is None:
            missing.add(path)
            path = path.rpartition("/")[0]
    try:
        yield
    finally:
        for path in sorted(missing, key=lambda path: path.count("/"), reverse=True):
            created = root.find(path)
            if created is None or created.is_symlink():
                continue
            with contextlib.suppress(OSError):  # the program itself put something there
                if created.is_dir():
                    created.rmdir()
                elif created.stat().st_size == 0:
                    created.unlink()


def kill_all() -> None:
    """Kill everything that this process has started: it is the first one of its pid namespace."""
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
