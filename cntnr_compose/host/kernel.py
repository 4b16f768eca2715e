"""What this machine allows an ordinary user. It looks and tries, and changes nothing."""

import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cntnr_compose.core.frozen import Bytes
from cntnr_compose.host import files

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
# Room for every id that images use: nobody and nogroup are 65534.
SUBORDINATE_ID_COUNT = 65536
FIRST_SUBORDINATE_ID = 100000
LIMIT_CONTROLLERS = ("cpu", "memory", "pids")
SECCOMP_PROFILES = (
    Path("/etc/containers/seccomp.json"),
    Path("/usr/share/containers/seccomp.json"),
)
DISTRIBUTION_FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "arch": "arch",
}
# Programs that are fit to be the first process of a container, since they need no library of it.
CONTAINER_INITS = ("/usr/bin/tini-static", "/usr/libexec/podman/catatonit", "/usr/bin/catatonit")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
CNI_FOLDERS = (
    Path("/usr/lib/cni"),
    Path("/usr/libexec/cni"),
    Path("/opt/cni/bin"),
    Path("/usr/local/lib/cni"),
)


def host_platform() -> str:
    """Give this machine's platform, such as ``linux/amd64``."""
    machine = os.uname().machine
    return f"linux/{ARCHITECTURES.get(machine, machine)}"


def release() -> tuple[int, int]:
    """Give the kernel's version, such as (6, 1)."""
    major, minor, *_ = os.uname().release.split(".")
    return int(major), int("".join(char for char in minor if char.isdecimal()) or 0)


def start_time(pid: int) -> int:
    """Give a process's start time in ticks since boot; 0 where it is gone or a zombie (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def pid_inside(pid: int) -> int:
    """Give a process's pid in its own pid namespace (proc(5), "NSpid"); 0 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    return int(text.partition(b"\nNSpid:")[2].partition(b"\n")[0].split()[-1])


def command_line(pid: int) -> list[bytes]:
    """Give a process's command line; empty where it is gone, or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def find_by_argument(word: bytes) -> list[int]:
    """List the processes that have a word in their command line."""
    found = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in found if word in command_line(pid)]


def find_listener(port: int) -> str:
    """Tell who listens on a port of this network namespace, as far as we may look (proc(5))."""
    inodes = set()
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        try:
            lines = Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
        except OSError:
            continue
        for words in map(str.split, lines):
            if words[3] == state and int(words[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{words[9]}]")
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(entry.readlink()) in inodes:
                name = (entry.parents[1] / "comm").read_text().strip()
                return f"{name} (process {entry.parents[1].name})"
        except OSError:
            continue
    return "a process of another user" if inodes else ""


def user_name() -> str:
    """Give the name of the user who runs this, or its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def count_subordinate_ids(kind: Literal["uid", "gid"]) -> int:
    """Count the subordinate ids that this user may map; newuidmap goes by name and by number."""
    try:
        lines = Path(f"/etc/sub{kind}").read_text().splitlines()
    except OSError:
        return 0
    mine = {user_name(), str(os.getuid())}
    parts = [line.split(":") for line in lines if line.count(":") == 2]
    return sum(int(count) for who, _, count in parts if who in mine and count.isdecimal())


def locked_mount_flags(path: Path) -> tuple[str, ...]:
    """Give the flags of a file's mount that a user namespace may not take away (mount(2))."""
    found = os.statvfs(path).f_flag
    names = {"nosuid": os.ST_NOSUID, "nodev": os.ST_NODEV, "noexec": os.ST_NOEXEC}
    return tuple(name for name, bit in names.items() if found & bit)


def host_address() -> str:
    """Give an address of the host at which containers reach what listens on it.

    Nothing is sent: connecting a datagram socket only chooses a route. Where there is none, the
    address is the uplink's.
    """
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "10.0.2.2"


def host_resolv_conf(etc: Path = Path("/etc")) -> str:
    """Read the host's own resolv.conf, which the holder has laid another one over."""
    for path in (folder / "resolv.conf" for folder in (*etc.glob(".ro*"), etc)):
        try:
            # A link of systemd-resolved's is meant to be followed from /etc, not from its copy.
            return (etc / path.readlink() if path.is_symlink() else path).read_text()
        except OSError:
            continue
    return ""


def free_subordinate_range() -> str:
    """Give a range of subordinate ids that nobody has yet, as usermod(8) takes it: ``100000-165535``."""
    first = FIRST_SUBORDINATE_ID
    for kind in ("uid", "gid"):
        try:
            lines = Path(f"/etc/sub{kind}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            _, _, numbers = line.partition(":")
            start, _, count = numbers.partition(":")
            if start.isdecimal() and count.isdecimal():
                first = max(first, int(start) + int(count))
    return f"{first}-{first + SUBORDINATE_ID_COUNT - 1}"


def count_mapped_ids() -> int:
    """Count the ids that exist in this user namespace."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    return sum(int(line.split()[2]) for line in lines)


def may_map_ids(program: str) -> bool:
    """Tell whether newuidmap or newgidmap has the right that it needs: setuid or a capability."""
    if Path(program).stat().st_mode & stat.S_ISUID:
        return True
    try:
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False


def can_open_tun() -> bool:
    """Tell whether this user may open /dev/net/tun."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def lowest_port() -> int:
    """Give the lowest port that an ordinary user may listen on."""
    return (
        0
        if os.getuid() == 0
        else _read_number("/proc/sys/net/ipv4/ip_unprivileged_port_start", 1024)
    )


def linger_enabled() -> bool | None:
    """Tell whether systemd keeps this user's processes after logout; None where there is none."""
    if not Path("/run/systemd/system").is_dir():
        return None
    return Path("/var/lib/systemd/linger", user_name()).exists()


def free_space(folder: Path) -> Bytes:
    """Give the bytes that are free where ``folder`` is, or would be made."""
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def cni_plugin_folder() -> Path | None:
    """Find the folder of CNI plugins."""
    return next((path for path in CNI_FOLDERS if (path / "bridge").exists()), None)


def default_seccomp_profile() -> Path | None:
    """Find the default seccomp profile."""
    return next((path for path in SECCOMP_PROFILES if path.exists()), None)


def distribution() -> str:
    """Name the family of this distribution: debian, fedora, arch, or what it calls itself."""
    import platform

    try:
        values = platform.freedesktop_os_release()
    except OSError:
        return ""
    names = [values.get("ID", ""), *values.get("ID_LIKE", "").split()]
    return next(
        (DISTRIBUTION_FAMILIES[name] for name in names if name in DISTRIBUTION_FAMILIES), names[0]
    )


def has_sysctl_value(setting: str, off: int) -> bool:
    """Tell whether a kernel setting such as ``kernel.unprivileged_userns_clone`` has a value."""
    return _read_number(f"/proc/sys/{setting.replace('.', '/')}", off - 1) == off


def try_user_namespace() -> str:
    """Make a user and mount namespace in a child; give the reason why not, or nothing."""
    return _in_child(lambda: None)


def try_overlay(folder: Path) -> str:
    """Mount an overlay in a user namespace of a child; give the reason why not, or nothing."""
    import tempfile

    while not folder.exists():
        folder = folder.parent
    try:
        draft = Path(tempfile.mkdtemp(prefix=".cntnr-doctor-", dir=folder))
    except OSError as error:
        return f"cannot write to {folder}: {error.strerror}"
    try:
        for name in ("lower", "upper", "work", "merged"):
            (draft / name).mkdir()
        layers = f"lowerdir={draft}/lower,upperdir={draft}/upper,workdir={draft}/work"
        return _in_child(lambda: _mount("overlay", draft / "merged", f"{layers},userxattr"))
    finally:
        files.remove_tree(draft)


def _read_number(path: str, default: int) -> int:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return default


def _mount(kind: str, target: Path, options: str) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(kind.encode(), os.fsencode(target), kind.encode(), 0, options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind}: {os.strerror(code)}")


def _enter_namespaces() -> None:
    import ctypes

    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    # Ubuntu's AppArmor lets everybody unshare, and takes all rights inside: only a mount tells.
    _mount("tmpfs", Path("/proc"), "")


def _in_child(work: Callable[[], None]) -> str:
    """Do ``work`` in a forked child in namespaces of its own; give the reason of its failure."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        reason = ""
        try:
            _enter_namespaces()
            work()
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            os.write(writable, reason.encode())
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as answer:
        reason = answer.read().decode()
    os.waitpid(child, 0)
    return reason
