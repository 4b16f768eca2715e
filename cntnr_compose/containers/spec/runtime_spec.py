"""Makes an OCI runtime spec of a service and its image: docker's defaults, what the service asks for,
and where the machine does not allow that, less, with a line that says so.

Pure and quick (0.1 ms): the engine says in `Facts` what the machine allows, once, and in `Setting`
what stands ready for the container. A step of a build is a container like any other:
``Service(name="build", entrypoint=(), command=…, environment=…, user=…, working_dir=…)`` in a
``Setting(network="host", …)`` with neither hostname nor mounts.
"""

from cntnr_compose.containers.spec import capabilities, rlimits, seccomp
from cntnr_compose.containers.spec import process as environment
from cntnr_compose.containers.spec.devices import build_device_mounts
from cntnr_compose.containers.spec.inputs import HostFacts, Reductions, SpecInputs, SpecResult
from cntnr_compose.containers.spec.mounts import (
    MASKED_PATHS,
    READONLY_PATHS,
    build_mounts,
    choose_rootfs_propagation,
    runs_init,
)
from cntnr_compose.containers.spec.namespaces import build_hooks, build_namespaces, build_sysctls
from cntnr_compose.containers.spec.resources import build_cgroups_path, build_resources
from cntnr_compose.containers.spec.security import SecurityOptions, parse_security_options
from cntnr_compose.containers.spec.users import resolve_user
from cntnr_compose.core.values import Tree
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

OCI_VERSION = "1.0.2"


def build_runtime_spec(
    service: Service, image: ImageConfig, setting: SpecInputs, facts: HostFacts
) -> SpecResult:
    """Give the runtime spec of one container, and a line for each key that it does not honour.

    Raises a `CntnrError` for what cannot be at all: a user that the image does not have, a device
    that is not there, a setting that is not the container's own.
    """
    reductions = Reductions(service.name)
    shields = parse_security_options(service, facts, reductions)
    process = _build_process(service, image, setting, facts, reductions)
    _apply_security(process, shields)
    made: Tree = {
        "ociVersion": OCI_VERSION,
        "process": process,
        "root": {"path": setting.rootfs, "readonly": service.read_only},
        "mounts": [
            *build_mounts(service, setting, facts, reductions),
            *build_device_mounts(service, setting, facts, reductions),
        ],
        "linux": _build_linux(service, setting, facts, reductions),
        "annotations": {**service.annotations, **setting.annotations},
    }
    shared = choose_rootfs_propagation(made["mounts"])
    if shared:
        made["linux"]["rootfsPropagation"] = shared
    if not shields.paths_unconfined:
        made["linux"] |= {"maskedPaths": list(MASKED_PATHS), "readonlyPaths": list(READONLY_PATHS)}
    profile = _build_seccomp(shields, process, setting, facts)
    if profile:
        made["linux"]["seccomp"] = profile
    if setting.hostname and setting.uts == "new":
        made["hostname"] = setting.hostname
    called = build_hooks(service, setting, facts, reductions)
    if called:
        made["hooks"] = called
    user = process["user"]
    return SpecResult(spec=made, warnings=reductions.warnings, uid=user["uid"], gid=user["gid"])


def _build_process(
    service: Service,
    image: ImageConfig,
    setting: SpecInputs,
    facts: HostFacts,
    reductions: Reductions,
) -> Tree:
    variables = environment.build_environment(
        service, image, hostname=setting.hostname, extra=setting.environment
    )
    user = resolve_user(
        service.user or image.user,
        passwd=setting.passwd,
        group=setting.group,
        id_count=facts.mapped_ids,
        group_add=service.group_add,
    )
    names = capabilities.select_capabilities(
        service.name, service.cap_add, service.cap_drop, privileged=service.privileged
    )
    process: Tree = {
        "terminal": service.tty,
        "user": user.to_oci(),
        "args": _build_args(service, image, setting, facts, reductions),
        "env": [f"{name}={value}" for name, value in variables.items()],
        "cwd": environment.choose_working_dir(service.working_dir, image.working_dir),
        "capabilities": capabilities.build_capability_sets(names, user.uid),
        "rlimits": rlimits.build_rlimits(service, facts, reductions),
    }
    if service.tty and setting.console_size:
        process["consoleSize"] = {
            "height": setting.console_size[0],
            "width": setting.console_size[1],
        }
    adjusted = rlimits.clamp_oom_score_adj(service, facts, reductions)
    if adjusted is not None:
        process["oomScoreAdj"] = adjusted
    return process


def _build_args(
    service: Service,
    image: ImageConfig,
    setting: SpecInputs,
    facts: HostFacts,
    reductions: Reductions,
) -> list[str]:
    words = environment.build_command_line(service, image)
    if runs_init(service, setting, facts):
        return [environment.INIT_PATH, "--", *words]
    if service.init and not facts.init_path:
        reductions.add("init", "not honoured, since there is no statically linked tini here")
    return list(words)


def _apply_security(process: Tree, shields: SecurityOptions) -> None:
    process["noNewPrivileges"] = shields.no_new_privileges
    if shields.apparmor:
        process["apparmorProfile"] = shields.apparmor


def _build_linux(
    service: Service, setting: SpecInputs, facts: HostFacts, reductions: Reductions
) -> Tree:
    made: Tree = {
        "namespaces": build_namespaces(service, setting, reductions),
        "sysctl": build_sysctls(service, setting, facts, reductions),
        "resources": build_resources(service, setting, facts, reductions),
    }
    path = build_cgroups_path(service, setting, facts, reductions)
    if path:
        made["cgroupsPath"] = path
    return made


def _build_seccomp(
    shields: SecurityOptions, process: Tree, setting: SpecInputs, facts: HostFacts
) -> Tree | None:
    if shields.seccomp == "unconfined":
        return None
    profile = setting.seccomp if shields.seccomp else facts.seccomp_profile
    if profile is None:
        if shields.seccomp:
            raise seccomp.SeccompProfileInvalid(shields.seccomp, "cannot be read")
        return None
    machine = seccomp.SeccompTarget(
        name=facts.machine, kernel=facts.kernel, compat=facts.runs_32_bit
    )
    return seccomp.resolve_profile(profile, machine, process["capabilities"]["bounding"])
