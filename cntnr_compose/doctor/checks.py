"""Tries what cntnr relies on, one `Check` each: what was found, what is reduced, what mends it."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from typing import Literal

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.doctor import probes
from cntnr_compose.host import cgroups, distribution, kernel, process
from cntnr_compose.host.namespaces import subids

CheckState = Literal["ok", "reduced", "missing"]
GIBIBYTE: Bytes = 1 << 30
LIMIT_CONTROLLERS = ("cpu", "memory", "pids")
MIN_FREE_SPACE: Bytes = 2 * GIBIBYTE


class Check(Value, frozen=True, kw_only=True):
    """The answer to one question about this machine."""

    name: str
    state: CheckState
    found: str
    loses: str = ""  # what does not work, or works less well
    mend: str = ""  # the exact command


class RequiredProgram(Value, frozen=True, kw_only=True):
    """A program that cntnr starts, and the package that has it, by distribution."""

    name: str
    packages: tuple[str, str, str]  # debian, fedora, arch
    loses: str
    state: CheckState = "missing"  # when it is not there
    version: str = "--version"


PROGRAMS = (
    RequiredProgram(name="runc", packages=("runc", "runc", "runc"), loses="no container can run"),
    RequiredProgram(
        name="conmon", packages=("conmon", "conmon", "conmon"), loses="no container can be started"
    ),
    RequiredProgram(
        name="skopeo", packages=("skopeo", "skopeo", "skopeo"), loses="no image can be pulled"
    ),
    RequiredProgram(
        name="umoci", packages=("umoci", "umoci", "umoci"), loses="no image can be unpacked"
    ),
    RequiredProgram(
        name="rootlesskit",
        packages=("rootlesskit", "rootlesskit", "rootlesskit"),
        loses="no namespaces to run containers in",
    ),
    RequiredProgram(
        name="slirp4netns",
        packages=("slirp4netns", "slirp4netns", "slirp4netns"),
        loses="containers cannot reach the outside",
    ),
    RequiredProgram(
        name="nsenter",
        packages=("util-linux", "util-linux", "util-linux"),
        loses="no way into the namespaces",
    ),
    RequiredProgram(
        name="ip",
        packages=("iproute2", "iproute", "iproute2"),
        loses="no networks between containers",
        version="-V",
    ),
    RequiredProgram(
        name="nft",
        packages=("nftables", "nftables", "nftables"),
        loses="networks are not kept apart, containers cannot reach the outside",
    ),
    RequiredProgram(
        name="dnsmasq",
        packages=("dnsmasq-base", "dnsmasq", "dnsmasq"),
        loses="services cannot find each other by name",
    ),
    RequiredProgram(
        name="tini-static",
        packages=("tini", "tini-static", "tini"),
        loses="`init: true` does without an init",
        state="reduced",
    ),
    RequiredProgram(
        name="git", packages=("git", "git", "git"), loses="no build from a git URL", state="reduced"
    ),
)
FAMILIES = {"debian": 0, "fedora": 1, "arch": 2}
INSTALL_COMMANDS = ("sudo apt-get install", "sudo dnf install", "sudo pacman -S")


def run_checks() -> list[Check]:
    """Make every check; takes a fraction of a second."""
    return [
        *(_check_program(program) for program in PROGRAMS),
        _check_cni_plugins(),
        _check_user_namespaces(),
        *_check_subordinate_ids(),
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
    """Tell whether nothing that cntnr cannot do without is missing."""
    return all(check.state != "missing" for check in checks)


def install_command(*packages: str) -> str:
    """Give this distribution's command for packages named as debian, fedora, arch name them."""
    family = FAMILIES.get(distribution.distribution_family())
    if family is None:
        return f"install {packages[0]} with your package manager"
    return f"{INSTALL_COMMANDS[family]} {packages[family]}"


def _check_or(name: str, good: bool, found: str, *, otherwise: Check) -> Check:  # noqa: FBT001
    return Check(name=name, state="ok", found=found) if good else otherwise


def _check_program(program: RequiredProgram) -> Check:
    try:
        path = process.find_program(program.name)
    except ProgramMissing:
        return Check(
            name=program.name,
            state=program.state,
            found="not installed",
            loses=program.loses,
            mend=install_command(*program.packages),
        )
    found = path
    with contextlib.suppress(CommandFailed, ProgramMissing, TimeoutError):
        said = process.run([path, program.version], timeout=5)
        version = re.search(r"\d+\.\d+[\w.+~-]*", said.stdout + said.stderr)
        found = f"{version.group()} ({path})" if version else path
    return Check(name=program.name, state="ok", found=found)


def _check_cni_plugins() -> Check:
    folder = distribution.cni_plugin_folder()
    packages = ("containernetworking-plugins", "containernetworking-plugins", "cni-plugins")
    if folder is None:
        return Check(
            name="CNI plugins",
            state="missing",
            found="not installed",
            loses="no networks between containers",
            mend=install_command(*packages),
        )
    absent = [name for name in ("bridge", "host-local") if not (folder / name).exists()]
    if absent:
        return Check(
            name="CNI plugins",
            state="missing",
            found=f"{folder} has no {' and no '.join(absent)}",
            loses="no networks between containers",
            mend=install_command(*packages),
        )
    return Check(name="CNI plugins", state="ok", found=str(folder))


def _check_user_namespaces() -> Check:
    reason = probes.try_user_namespace()
    if not reason:
        return Check(name="user namespaces", state="ok", found="tried one")
    settings = (
        ("kernel.unprivileged_userns_clone", 0, 1),
        ("kernel.apparmor_restrict_unprivileged_userns", 1, 0),
        ("user.max_user_namespaces", 0, 15000),
    )
    mends = [
        f"sudo sysctl -w {name}={good}"
        for name, bad, good in settings
        if probes.has_sysctl_value(name, bad)
    ]
    return Check(
        name="user namespaces",
        state="missing",
        found=reason,
        loses="no container can run without root",
        mend=" && ".join(mends) or "ask the administrator why this machine forbids them",
    )


def _check_subordinate_ids() -> Iterator[Check]:
    uids, gids = subids.count_subordinate_ids("uid"), subids.count_subordinate_ids("gid")
    user = subids.user_name()
    none_at_all = "no container can run: its files and processes have no ids to belong to"
    span = subids.free_subordinate_range()
    has_none = not (uids and gids)
    yield _check_or(
        "subordinate ids",
        min(uids, gids) >= subids.SUBORDINATE_ID_COUNT,
        f"{uids} uids, {gids} gids",
        otherwise=Check(
            name="subordinate ids",
            state="missing" if has_none else "reduced",
            found=f"{uids} uids, {gids} gids of {user}; {subids.SUBORDINATE_ID_COUNT} wanted",
            loses=none_at_all if has_none else "images that use higher ids (nobody is 65534) fail",
            mend=f"sudo usermod --add-subuids {span} --add-subgids {span} {user}",
        ),
    )
    programs = {name: shutil.which(name, path=process.search_path()) for name in _MAPPERS}
    weak = [name for name, path in programs.items() if not path or not probes.may_map_ids(path)]
    where = " and ".join(path for path in programs.values() if path)
    mend = install_command("uidmap", "shadow-utils", "shadow")
    if all(programs.values()):
        mend = f"sudo chmod u+s {' '.join(path for path in programs.values() if path)}"
    yield _check_or(
        "newuidmap",
        not weak,
        where,
        otherwise=Check(
            name="newuidmap",
            state="missing",
            found=f"{' and '.join(weak)} not there, or not setuid root",
            loses=none_at_all,
            mend=mend,
        ),
    )


_MAPPERS = ("newuidmap", "newgidmap")


def _check_overlay() -> Check:
    reason = probes.try_overlay(paths.data())
    version = ".".join(map(str, kernel.release()))
    old = kernel.release() < (5, 11)
    return _check_or(
        "overlay",
        not reason,
        f"kernel {version}, tried one in {paths.data()}",
        otherwise=Check(
            name="overlay",
            state="missing",
            found=f"kernel {version}: {reason}",
            loses="containers have no file system of their own",
            mend="upgrade to a kernel of 5.11 or newer"
            if old
            else "set XDG_DATA_HOME to a folder on ext4, xfs, btrfs or tmpfs",
        ),
    )


def _check_tun() -> Check:
    return _check_or(
        "/dev/net/tun",
        kernel.can_open_tun(),
        "open",
        otherwise=Check(
            name="/dev/net/tun",
            state="missing",
            found="may not be opened" if os.path.exists("/dev/net/tun") else "not there",  # noqa: PTH110
            loses="containers cannot reach the outside",
            mend="sudo chmod 0666 /dev/net/tun"
            if os.path.exists("/dev/net/tun")  # noqa: PTH110
            else "sudo modprobe tun && sudo chmod 0666 /dev/net/tun",
        ),
    )


def _check_cgroups() -> Check:
    found = cgroups.find_delegated()
    have = found.controllers if found else ()
    lacking = [name for name in LIMIT_CONTROLLERS if name not in have]
    has_systemd = probes.linger_enabled() is not None
    return _check_or(
        "cgroups",
        not lacking,
        f"delegated: {', '.join(have)}",
        otherwise=Check(
            name="cgroups",
            state="reduced",
            found=f"not delegated: {', '.join(lacking)}",
            loses="limits on memory, cpu and processes are not enforced",
            mend="run cntnr in `systemd-run --user --scope -p Delegate=yes`"
            if has_systemd
            else "needs a machine with cgroup v2 and systemd",
        ),
    )


def _check_low_ports() -> Check:
    lowest = kernel.lowest_port()
    return _check_or(
        "low ports",
        lowest <= 80,
        f"from {lowest}",
        otherwise=Check(
            name="low ports",
            state="reduced",
            found=f"from {lowest}",
            loses=f"ports below {lowest} cannot be published",
            mend="sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80",
        ),
    )


def _check_linger() -> Check:
    match probes.linger_enabled():
        case None:
            return Check(name="linger", state="ok", found="no systemd here that ends sessions")
        case True:
            return Check(name="linger", state="ok", found="on")
        case False if os.getuid() == 0:
            return Check(name="linger", state="ok", found="root's processes stay")
        case False:
            return Check(
                name="linger",
                state="reduced",
                found="off",
                loses="containers may end when you log out",
                mend=f"loginctl enable-linger {subids.user_name()}",
            )


def _check_seccomp() -> Check:
    profile = distribution.default_seccomp_profile()
    if profile:
        return Check(name="seccomp profile", state="ok", found=str(profile))
    packages = ("golang-github-containers-common", "containers-common", "containers-common")
    return Check(
        name="seccomp profile",
        state="reduced",
        found="not installed",
        loses="containers may make system calls that docker would refuse",
        mend=install_command(*packages),
    )


def _check_runtime_folder() -> Check:
    try:
        return Check(name="runtime folder", state="ok", found=str(paths.secure_runtime()))
    except (paths.UnsafeRuntimeDirectory, paths.HomeNotWritable) as error:
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
    return _check_or(
        "free space",
        free >= MIN_FREE_SPACE,
        f"{free / GIBIBYTE:.1f} GiB in {folder}",
        otherwise=Check(
            name="free space",
            state="reduced",
            found=f"{free / GIBIBYTE:.1f} GiB in {folder}",
            loses="images may not fit",
            mend="remove what nobody uses, or set XDG_DATA_HOME to a larger place",
        ),
    )
