"""Check what cntnr needs of the host, one `Check` each: what was found, what is reduced, what mends it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from cntnr_compose.core import paths
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.files import folders
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.doctor import probes
from cntnr_compose.doctor.programs import (
    PROGRAMS,
    RequiredProgram,
    install_command,
    read_version,
)
from cntnr_compose.host import cgroups, distribution, kernel, process
from cntnr_compose.host.namespaces import subids
from cntnr_compose.host.systemd import logind, scope

CheckState = Literal["ok", "reduced", "missing"]
GIBIBYTE: Bytes = 1 << 30
MIN_FREE_SPACE: Bytes = 2 * GIBIBYTE
LIMIT_CONTROLLERS = ("cpu", "memory", "pids")
CNI_PACKAGES = ("containernetworking-plugins", "containernetworking-plugins", "cni-plugins")
SECCOMP_PACKAGES = ("golang-github-containers-common", "containers-common", "containers-common")
ONE_ID = "containers have one id, root's: other users, chown and packages that need them take PRoot"
DROP_IN = "/etc/systemd/system/user@.service.d"
DELEGATE = (
    f"sudo mkdir -p {DROP_IN} && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' |"
    f" sudo tee {DROP_IN}/delegate.conf && sudo systemctl daemon-reload, and end all sessions once"
)
TUN = Path("/dev/net/tun")
AFTER_REBOOT = "after a reboot they start when you log in, not before"
KILL_NOT = (
    "KillUserProcesses=no in /etc/systemd/logind.conf, then sudo systemctl restart systemd-logind"
)
# Kernel settings, the value that forbids user namespaces, and one that allows them.
USER_NAMESPACE_SETTINGS = (
    ("kernel.unprivileged_userns_clone", 0, 1),
    ("kernel.apparmor_restrict_unprivileged_userns", 1, 0),
    ("user.max_user_namespaces", 0, 15000),
)


class Check(Value, frozen=True, kw_only=True):
    """The result of one check."""

    name: str
    state: CheckState
    found: str
    loses: str = ""  # what does not work, or works less well
    mend: str = ""  # the exact command


def run_checks() -> list[Check]:
    """Run all checks; takes a fraction of a second."""
    return [
        *(_check_program(program) for program in PROGRAMS),
        _check_cni_plugins(),
        _check_user_namespaces(),
        _check_subordinate_ids(),
        _check_id_mappers(),
        *_check_proot(),
        _check_overlay(),
        _check_tun(),
        _check_cgroups(),
        _check_low_ports(),
        _check_linger(),
        _check_seccomp(),
        _check_runtime_folder(),
        _check_free_space(),
    ]


def is_usable(checks: list[Check]) -> bool:
    """Check that nothing is missing that cntnr cannot do without."""
    return all(check.state != "missing" for check in checks)


def _check_program(program: RequiredProgram) -> Check:
    try:
        path = process.find_program(program.name)
    except ProgramMissing:
        return Check(
            name=program.name,
            state="reduced" if program.is_optional else "missing",
            found="not installed",
            loses=program.loses,
            mend=install_command(*program.packages),
        )
    version = read_version(path, program.version_option)
    finding = f"{version} ({path})" if version else path
    return Check(name=program.name, state="ok", found=finding)


def _check_cni_plugins() -> Check:
    name, folder = "CNI plugins", distribution.cni_plugin_folder()
    if folder is None:
        finding = "not installed"
    else:
        absent = [plugin for plugin in ("bridge", "host-local") if not (folder / plugin).exists()]
        if not absent:
            return Check(name=name, state="ok", found=str(folder))
        finding = f"{folder} has no {' and no '.join(absent)}"
    return Check(
        name=name,
        state="missing",
        found=finding,
        loses="no networks between containers",
        mend=install_command(*CNI_PACKAGES),
    )


def _check_user_namespaces() -> Check:
    reason = probes.try_user_namespace()
    if not reason:
        return Check(name="user namespaces", state="ok", found="tried one")
    commands = [
        f"sudo sysctl -w {setting}={allows}"
        for setting, forbids, allows in USER_NAMESPACE_SETTINGS
        if probes.has_sysctl_value(setting, forbids)
    ]
    return Check(
        name="user namespaces",
        state="missing",
        found=reason,
        loses="no container can run without root",
        mend=" && ".join(commands) or "ask who runs the machine; in a container see docs/nested.md",
    )


def _check_subordinate_ids() -> Check:
    uids, gids = subids.count_subordinate_ids("uid"), subids.count_subordinate_ids("gid")
    needed = subids.SUBORDINATE_ID_COUNT
    counts = f"{uids} uids, {gids} gids"
    if min(uids, gids) >= needed:
        return Check(name="subordinate ids", state="ok", found=counts)
    user, free_range = subids.user_name(), subids.free_subordinate_range()
    has_none = not (uids and gids)
    return Check(
        name="subordinate ids",
        state="reduced",
        found=f"{counts} of {user}; {needed} wanted",
        loses=ONE_ID if has_none else "images that use higher ids (nobody is 65534) fail",
        mend=f"sudo usermod --add-subuids {free_range} --add-subgids {free_range} {user}",
    )


def _check_id_mappers() -> Check:
    names = ("newuidmap", "newgidmap")
    programs = {name: shutil.which(name, path=process.search_path()) for name in names}
    weak = [name for name, path in programs.items() if not path or not subids.may_map_ids(path)]
    installed = [path for path in programs.values() if path]
    if not weak:
        return Check(name="newuidmap", state="ok", found=" and ".join(installed))
    return Check(
        name="newuidmap",
        state="reduced",
        found=f"{' and '.join(weak)} not there, or not setuid root",
        loses=ONE_ID,
        mend=f"sudo chmod u+s {' '.join(installed)}"
        if len(installed) == len(names)
        else install_command("uidmap", "shadow-utils", "shadow"),
    )


def _check_proot() -> Iterator[Check]:
    """Check for PRoot, where there is one id: others have no need of it."""
    if not subids.explain_one_id():
        return
    try:
        path = read_user_config().proot.path or process.find_program("proot")
        yield Check(name="proot", state="ok", found=path)
    except ProgramMissing:
        yield Check(
            name="proot",
            state="reduced",
            found="not installed",
            loses="`x-cntnr: {proot: true}` cannot fake other users and owners",
            mend=install_command("proot", "proot", "proot"),
        )


def _check_overlay() -> Check:
    folder, release = paths.data(), kernel.release()
    version = ".".join(map(str, release))
    reason = probes.try_overlay(folder)
    if not reason:
        finding = f"kernel {version}, tried one in {folder}"
        return Check(name="overlay", state="ok", found=finding)
    return Check(
        name="overlay",
        state="missing",
        found=f"kernel {version}: {reason}",
        loses="containers have no file system of their own",
        mend="upgrade to a kernel of 5.11 or newer"
        if release < (5, 11)
        else "set XDG_DATA_HOME to a folder on ext4, xfs, btrfs or tmpfs",
    )


def _check_tun() -> Check:
    if kernel.can_open_tun():
        return Check(name=str(TUN), state="ok", found="open")
    exists = TUN.exists()
    chmod = f"sudo chmod 0666 {TUN}"
    return Check(
        name=str(TUN),
        state="missing",
        found="may not be opened" if exists else "not there",
        loses="containers cannot reach the outside",
        mend=chmod if exists else f"sudo modprobe tun && {chmod}",
    )


def _check_cgroups() -> Check:
    """Make a group as containers get it: what a machine seems to allow is not always so."""
    group = scope.find_group()
    delegated = group.controllers if group else ()
    lacking = [name for name in LIMIT_CONTROLLERS if name not in delegated]
    refusal = "" if lacking else probes.try_cgroup()
    if not lacking and not refusal:
        return Check(name="cgroups", state="ok", found=f"tried one: {', '.join(delegated)}")
    return Check(
        name="cgroups",
        state="reduced",
        found=refusal or f"not delegated: {', '.join(lacking)}",
        loses="limits on memory, cpu and processes are not enforced",
        mend=_mend_cgroups(is_offered=group is not None),
    )


def _mend_cgroups(*, is_offered: bool) -> str:
    if not cgroups.is_unified() or not logind.is_booted():
        return "needs a machine with cgroup v2 and systemd"
    return DELEGATE if is_offered else logind.linger_command()


def _check_low_ports() -> Check:
    lowest = kernel.lowest_port()
    if lowest <= 80:
        return Check(name="low ports", state="ok", found=f"from {lowest}")
    return Check(
        name="low ports",
        state="reduced",
        found=f"from {lowest}",
        loses=f"ports below {lowest} cannot be published",
        mend="sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80",
    )


def _check_linger() -> Check:
    if not logind.is_booted():
        return Check(name="linger", state="ok", found="no systemd here that ends sessions")
    lingers, kills = logind.lingers(), logind.kills_at_logout()
    if lingers and not kills:
        return Check(name="linger", state="ok", found="on")
    ends = "containers end when you log out"
    return Check(
        name="linger",
        state="reduced",
        found=f"{'on' if lingers else 'off'}{', and KillUserProcesses=yes' if kills else ''}",
        loses=ends
        if lingers
        else f"{ends if kills else 'containers survive logout'}; {AFTER_REBOOT}",
        mend=KILL_NOT if lingers else logind.linger_command(),
    )


def _check_seccomp() -> Check:
    profile = distribution.default_seccomp_profile()
    if profile:
        return Check(name="seccomp profile", state="ok", found=str(profile))
    return Check(
        name="seccomp profile",
        state="reduced",
        found="not installed",
        loses="containers may make system calls that docker would refuse",
        mend=install_command(*SECCOMP_PACKAGES),
    )


def _check_runtime_folder() -> Check:
    try:
        return Check(name="runtime folder", state="ok", found=str(paths.secure_runtime()))
    except (folders.UnsafeRuntimeDirectory, paths.HomeNotWritable) as error:
        return Check(
            name="runtime folder",
            state="missing",
            found=str(error),
            loses="no place for sockets and locks",
            mend=error.hint,
        )


def _check_free_space() -> Check:
    folder = paths.data()
    free = probes.free_space(folder)
    finding = f"{free / GIBIBYTE:.1f} GiB in {folder}"
    if free >= MIN_FREE_SPACE:
        return Check(name="free space", state="ok", found=finding)
    return Check(
        name="free space",
        state="reduced",
        found=finding,
        loses="images may not fit",
        mend="remove what nobody uses, or set XDG_DATA_HOME to a larger place",
    )
