"""Build an OCI runtime spec from a service and its image: docker's defaults and the service's keys.

What the host does not allow is left out or reduced, with a warning. Pure and quick (0.1 ms): `HostFacts` has
what the host allows, `SpecInputs` what has been prepared for the container. A step of a build is a container,
too: ``Service(name="build", entrypoint=(), command=…, environment=…, user=…, working_dir=…)`` with
``SpecInputs(network="host", …)`` that has neither hostname nor mounts.
"""

from cntnr_compose.containers.spec import capabilities, rlimits, seccomp
from cntnr_compose.containers.spec.devices import build_device_mounts
from cntnr_compose.containers.spec.inputs import Reductions, SpecInputs, SpecResult
from cntnr_compose.containers.spec.mounts import (
    MASKED_PATHS,
    READONLY_PATHS,
    build_mounts,
    choose_rootfs_propagation,
    runs_init,
)
from cntnr_compose.containers.spec.namespaces import build_hooks, build_namespaces, build_sysctls
from cntnr_compose.containers.spec.process import (
    FAKED_ID_COUNT,
    INIT_PATH,
    PROOT_ENVIRONMENT,
    PROOT_INIT_OPTIONS,
    apply_console_size,
    build_command_line,
    build_environment,
    choose_working_dir,
    wrap_in_proot,
)
from cntnr_compose.containers.spec.resources import build_cgroups_path, build_resources
from cntnr_compose.containers.spec.security import SecurityOptions, parse_security_options
from cntnr_compose.containers.spec.users import ProcessUser, find_home, resolve_user
from cntnr_compose.core.values import Tree, replace
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

OCI_VERSION = "1.0.2"


def build_runtime_spec(
    service: Service, image: ImageConfig, inputs: SpecInputs, facts: HostFacts
) -> SpecResult:
    """Build the runtime spec of one container, and a warning for each key that it does not honour.

    Raises a `CntnrError` for what is impossible: a user that the image does not have, a missing device, a
    sysctl that is not the container's own.
    """
    reductions = Reductions(service.name)
    security = parse_security_options(service, facts, reductions)
    process = _build_process(service, image, inputs, facts, reductions)
    _apply_security(process, security)
    mounts = [
        *build_mounts(service, inputs, facts, reductions),
        *build_device_mounts(service, inputs, facts, reductions),
    ]
    linux = _build_linux(service, inputs, facts, reductions)
    spec: Tree = {
        "ociVersion": OCI_VERSION,
        "process": process,
        "root": {"path": inputs.rootfs, "readonly": service.read_only},
        "mounts": mounts,
        "linux": {**linux, **_build_confinement(security, process, mounts, inputs, facts)},
        "annotations": {**service.annotations, **inputs.annotations},
    }
    if inputs.hostname and inputs.uts == "new":
        spec["hostname"] = inputs.hostname
    hooks = build_hooks(service, inputs, facts, reductions)
    if hooks:
        spec["hooks"] = hooks
    user = process["user"]
    return SpecResult(spec=spec, warnings=reductions.warnings, uid=user["uid"], gid=user["gid"])


def _build_process(
    service: Service,
    image: ImageConfig,
    inputs: SpecInputs,
    facts: HostFacts,
    reductions: Reductions,
) -> Tree:
    extra = {**inputs.environment, **(PROOT_ENVIRONMENT if inputs.proot else {})}
    variables = build_environment(service, image, hostname=inputs.hostname, extra=extra)
    user = resolve_user(
        service.user or image.user,
        passwd=inputs.passwd,
        group=inputs.group,
        id_count=FAKED_ID_COUNT if inputs.proot else facts.mapped_ids,
        group_add=service.group_add,
    )
    args = _build_args(service, image, inputs, facts, reductions, user)
    if inputs.proot:
        if service.group_add:
            reductions.add("group_add", "PRoot fakes no further groups")
        variables.setdefault("HOME", find_home(user.uid, inputs.passwd))
        user = ProcessUser()
    names = capabilities.select_capabilities(
        service.name, service.cap_add, service.cap_drop, privileged=service.privileged
    )
    process: Tree = {
        "terminal": service.tty,
        "user": user.to_oci(),
        "args": args,
        "env": [f"{name}={value}" for name, value in variables.items()],
        "cwd": choose_working_dir(service.working_dir, image.working_dir),
        "capabilities": capabilities.build_capability_sets(names, user.uid),
        "rlimits": rlimits.build_rlimits(service, facts, reductions),
    }
    apply_console_size(process, inputs.console_size)
    oom_score_adj = rlimits.clamp_oom_score_adj(service, facts, reductions)
    if oom_score_adj is not None:
        process["oomScoreAdj"] = oom_score_adj
    return process


def _build_args(
    service: Service,
    image: ImageConfig,
    inputs: SpecInputs,
    facts: HostFacts,
    reductions: Reductions,
    user: ProcessUser,
) -> list[str]:
    words = list(build_command_line(service, image))
    options = ["--"]
    if inputs.proot:
        words = wrap_in_proot(inputs.proot.argv, user, words)
        options = [*PROOT_INIT_OPTIONS]
    if runs_init(service, inputs, facts):
        return [INIT_PATH, *options, *words]
    if inputs.proot:
        reductions.add("x-cntnr.proot", "the first process gets no signals, for want of an init")
    if service.init and not facts.init_path:
        reductions.add("init", "not honoured, since there is no statically linked tini here")
    return words


def _apply_security(process: Tree, security: SecurityOptions) -> None:
    process["noNewPrivileges"] = security.no_new_privileges
    if security.apparmor:
        process["apparmorProfile"] = security.apparmor


def _build_linux(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> Tree:
    linux: Tree = {
        "namespaces": build_namespaces(service, inputs, reductions),
        "sysctl": build_sysctls(service, inputs, facts, reductions),
        "resources": build_resources(service, inputs, facts, reductions),
    }
    path = build_cgroups_path(service, inputs, facts, reductions)
    if path:
        linux["cgroupsPath"] = path
    return linux


def _build_confinement(
    security: SecurityOptions,
    process: Tree,
    mounts: list[Tree],
    inputs: SpecInputs,
    facts: HostFacts,
) -> Tree:
    linux: Tree = {}
    propagation = choose_rootfs_propagation(mounts)
    if propagation:
        linux["rootfsPropagation"] = propagation
    if not security.paths_unconfined:
        linux |= {"maskedPaths": list(MASKED_PATHS), "readonlyPaths": list(READONLY_PATHS)}
    profile = _build_seccomp(security, process, inputs, facts)
    if inputs.proot:
        target = _seccomp_target(inputs, facts)
        profile = seccomp.adapt_to_proot(profile, target, one_id=facts.mapped_ids == 1)
    if profile:
        linux["seccomp"] = profile
    return linux


def _build_seccomp(
    security: SecurityOptions, process: Tree, inputs: SpecInputs, facts: HostFacts
) -> Tree | None:
    if security.seccomp == "unconfined":
        return None
    profile = inputs.seccomp if security.seccomp else facts.seccomp_profile
    if profile is None:
        if security.seccomp:
            raise seccomp.SeccompProfileInvalid(security.seccomp, "cannot be read")
        return None
    bounding = process["capabilities"]["bounding"]
    target = _seccomp_target(inputs, facts)
    if security.seccomp:
        target = replace(target, answers_new_calls=False)
    return seccomp.resolve_profile(profile, target, bounding)


def _seccomp_target(inputs: SpecInputs, facts: HostFacts) -> seccomp.SeccompTarget:
    return seccomp.SeccompTarget(
        name=facts.machine,
        kernel=facts.kernel,
        compat=facts.runs_32_bit,
        answers_new_calls=inputs.answers_new_calls,
    )
