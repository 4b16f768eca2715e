"""Makes an OCI runtime spec of a service and its image: docker's defaults, what the service asks for,
and where the machine does not allow that, less, with a line that says so.

Pure and quick (0.1 ms): the engine says in `Facts` what the machine allows, once, and in `Setting`
what stands ready for the container. A step of a build is a container like any other:
``Service(name="build", entrypoint=(), command=…, environment=…, user=…, working_dir=…)`` in a
``Setting(network="host", …)`` with neither hostname nor mounts.
"""

from cntnr_compose.containers.spec import capabilities, rlimits, seccomp
from cntnr_compose.containers.spec import process as environment
from cntnr_compose.containers.spec.devices import devices
from cntnr_compose.containers.spec.inputs import HostFacts, Made, Reductions, Setting
from cntnr_compose.containers.spec.mounts import MASKED, READ_ONLY, mounts, propagation, runs_init
from cntnr_compose.containers.spec.namespaces import hooks, namespaces, sysctls
from cntnr_compose.containers.spec.resources import cgroups_path, resources
from cntnr_compose.containers.spec.security import Security, security
from cntnr_compose.containers.spec.users import identity
from cntnr_compose.core.values import Tree
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

VERSION = "1.0.2"


def runtime_spec(service: Service, image: ImageConfig, setting: Setting, facts: HostFacts) -> Made:
    """Give the runtime spec of one container, and a line for each key that it does not honour.

    Raises a `CntnrError` for what cannot be at all: a user that the image does not have, a device
    that is not there, a setting that is not the container's own.
    """
    reductions = Reductions(service.name)
    shields = security(service, facts, reductions)
    process = _process(service, image, setting, facts, reductions)
    _shield(process, shields)
    made: Tree = {
        "ociVersion": VERSION,
        "process": process,
        "root": {"path": setting.rootfs, "readonly": service.read_only},
        "mounts": [
            *mounts(service, setting, facts, reductions),
            *devices(service, setting, facts, reductions),
        ],
        "linux": _linux(service, setting, facts, reductions),
        "annotations": {**service.annotations, **setting.annotations},
    }
    shared = propagation(made["mounts"])
    if shared:
        made["linux"]["rootfsPropagation"] = shared
    if not shields.paths_unconfined:
        made["linux"] |= {"maskedPaths": list(MASKED), "readonlyPaths": list(READ_ONLY)}
    profile = _seccomp(shields, process, setting, facts)
    if profile:
        made["linux"]["seccomp"] = profile
    if setting.hostname and setting.uts == "new":
        made["hostname"] = setting.hostname
    called = hooks(service, setting, facts, reductions)
    if called:
        made["hooks"] = called
    user = process["user"]
    return Made(spec=made, warnings=reductions.lines, uid=user["uid"], gid=user["gid"])


def _process(
    service: Service, image: ImageConfig, setting: Setting, facts: HostFacts, reductions: Reductions
) -> Tree:
    variables = environment.environment(
        service, image, hostname=setting.hostname, more=setting.environment
    )
    user = identity(
        service.user or image.user,
        passwd=setting.passwd,
        group=setting.group,
        ids=facts.mapped_ids,
        group_add=service.group_add,
    )
    names = capabilities.granted(
        service.name, service.cap_add, service.cap_drop, privileged=service.privileged
    )
    process: Tree = {
        "terminal": service.tty,
        "user": user.tree(),
        "args": _args(service, image, setting, facts, reductions),
        "env": [f"{name}={value}" for name, value in variables.items()],
        "cwd": environment.working_dir(service.working_dir, image.working_dir),
        "capabilities": capabilities.sets(names, user.uid),
        "rlimits": rlimits.rlimits(service, facts, reductions),
    }
    if service.tty and setting.console:
        process["consoleSize"] = {"height": setting.console[0], "width": setting.console[1]}
    adjusted = rlimits.oom_score_adj(service, facts, reductions)
    if adjusted is not None:
        process["oomScoreAdj"] = adjusted
    return process


def _args(
    service: Service, image: ImageConfig, setting: Setting, facts: HostFacts, reductions: Reductions
) -> list[str]:
    words = environment.command_line(service, image)
    if runs_init(service, setting, facts):
        return [environment.INIT, "--", *words]
    if service.init and not facts.init_path:
        reductions.add("init", "not honoured, since there is no statically linked tini here")
    return list(words)


def _shield(process: Tree, shields: Security) -> None:
    process["noNewPrivileges"] = shields.no_new_privileges
    if shields.apparmor:
        process["apparmorProfile"] = shields.apparmor


def _linux(service: Service, setting: Setting, facts: HostFacts, reductions: Reductions) -> Tree:
    made: Tree = {
        "namespaces": namespaces(service, setting, reductions),
        "sysctl": sysctls(service, setting, facts, reductions),
        "resources": resources(service, setting, facts, reductions),
    }
    path = cgroups_path(service, setting, facts, reductions)
    if path:
        made["cgroupsPath"] = path
    return made


def _seccomp(shields: Security, process: Tree, setting: Setting, facts: HostFacts) -> Tree | None:
    if shields.seccomp == "unconfined":
        return None
    profile = setting.seccomp if shields.seccomp else facts.seccomp_profile
    if profile is None:
        if shields.seccomp:
            raise seccomp.SeccompProfileInvalid(shields.seccomp, "cannot be read")
        return None
    machine = seccomp.Machine(name=facts.machine, kernel=facts.kernel, compat=facts.runs_32_bit)
    return seccomp.resolve(profile, machine, process["capabilities"]["bounding"])
