"""Connect a container of an ordinary user who has no namespace in which bridges can be made.

The plugins run in a network namespace between the container and the host, which belongs to the container's
own user namespace: the user may do there what the plugins do. slirp4netns is its way out, and publishes
ports. It ends with the container, and the namespace with it.
"""

import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen, Tree
from cntnr_compose.host import network, proc, process
from cntnr_compose.host.network import Subnet
from cntnr_compose.networks.hook.bundle_folder import BundleFolder
from cntnr_compose.networks.hook.handover import Namespaces, connect_socket, read_answer
from cntnr_compose.networks.plugins import plugin_chain

START_TIMEOUT = 10.0  # seconds; 50 ms is usual
PLUGINS_TIMEOUT = 30.0
STOP_TIMEOUT = 2.0
INTERFACE = "tap0"
LOCK = ".lock"  # of bundles that `cntnr bundle` keeps: nobody changes one whose container lives
# slirp4netns passes what comes to a published port to one of these, whatever the address of the host.
FIRST_PORT_BETWEEN = 20000
RECORD, SOCKET, LOG, ROUTER_LOG = "uplink.json", "uplink.sock", "uplink.log", "router.log"
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21
# It tells that its namespace is there, and calls the plugins when it reads the container's state.
ROUTER_SCRIPT = (
    "ip link set lo up && echo 1 >/proc/sys/net/ipv4/ip_forward && echo ready && IFS= read -r state"
    ' && printf "%s\\n" "$state" | "$@" >&2'
)


class UplinkFailed(CntnrError):
    """The namespace between container and host cannot be made."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot connect the container to the network: {why}")


class PublishFailed(CntnrError):
    """slirp4netns cannot listen on a port."""

    hint = "stop what listens there (`ss -ltnp`), or choose another port, from 1024 on"

    def __init__(self, mapping: Tree, why: str) -> None:
        where = f"{mapping.get('hostIP') or '0.0.0.0'}:{mapping['hostPort']}"
        super().__init__(f"cannot publish port {where}/{mapping['protocol']}: {why}")


class PluginCall(Frozen):
    """How the plugins are called: the command, its environment, and the line that it reads."""

    argv: list[str]
    env: dict[str, str]
    state: bytes


class _Uplink(Frozen):
    """A running slirp4netns."""

    pid: int
    born: int


def can_use_own_network() -> bool:
    """Check whether this process may make interfaces and enter namespaces: root, also one of a namespace."""
    text = Path("/proc/self/status").read_text()
    rights = int(text.partition("\nCapEff:")[2].split()[0], 16)
    return bool(rights >> CAP_NET_ADMIN & 1 and rights >> CAP_SYS_ADMIN & 1)


def connect(
    call: PluginCall,
    pid: int,
    namespaces: Namespaces,
    folder: BundleFolder,
    ports: Iterable[Tree],
    subnet: Subnet,
) -> int:
    """Make the namespace beside that of a container, and call the plugins there; return their exit code.

    Whatever it raises, call `disconnect` afterwards: `UplinkFailed`, `PublishFailed`, `ProgramMissing`,
    `TimeoutError`.
    """
    log = _open_log(folder, ROUTER_LOG)
    network = f"/proc/self/fd/{namespaces.network}"
    try:
        router = process.popen(
            ["nsenter", f"--user=/proc/self/fd/{namespaces.user}", "--preserve-credentials",
             "unshare", "--net", "sh", "-c", ROUTER_SCRIPT, "sh", *call.argv],
            env=call.env | {plugin_chain.NETNS: network},
            stdin=process.PIPE, stdout=process.PIPE, stderr=log,
            pass_fds=(namespaces.user, namespaces.network),
        )  # fmt: skip
    finally:
        os.close(log)
    assert router.stdin is not None
    assert router.stdout is not None
    try:
        if _read_line(router.stdout.fileno()) != b"ready":
            raise UplinkFailed(_last_line(folder.read(ROUTER_LOG)))
        _start_slirp4netns(pid, router.pid, namespaces, folder, subnet)
        _publish(folder, ports)
        router.stdin.write(call.state)
        router.stdin.close()
        return process.wait_for(router, PLUGINS_TIMEOUT)
    finally:
        process.end(router, 0)


def _open_log(folder: BundleFolder, name: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(Path(folder.path, name), flags, 0o600)


def _start_slirp4netns(
    pid: int, router: int, namespaces: Namespaces, folder: BundleFolder, subnet: Subnet
) -> None:
    """Start slirp4netns in the background, which ends with the container; wait until it is ready."""
    readable, writable = os.pipe()
    container = os.pidfd_open(pid)
    lock = _lock_bundle(folder)
    log = _open_log(folder, LOG)
    try:
        program = process.popen(
            ["slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback",
             *network.ipv6_option("--enable-ipv6"),
             f"--cidr={subnet}", f"--ready-fd={writable}", f"--exit-fd={container}", f"--api-socket={SOCKET}",
             f"--userns-path=/proc/self/fd/{namespaces.user}", "--netns-type=path", f"/proc/{router}/ns/net",
             INTERFACE],
            stdin=log, stdout=log, stderr=log, pass_fds=(writable, container, namespaces.user, *lock),
            new_session=True, cwd=folder.path,
        )  # fmt: skip
    finally:
        for descriptor in (writable, container, log, *lock):
            os.close(descriptor)
    record = {"pid": program.pid, "born": proc.start_time(program.pid)}
    folder.write(RECORD, json.dumps(record).encode())
    try:
        if not _read_some(readable):
            why = f"slirp4netns: {_last_line(folder.read(LOG))}"
            raise UplinkFailed(why)
    finally:
        os.close(readable)


def _lock_bundle(folder: BundleFolder) -> tuple[int, ...]:
    """Lock the bundle for whoever inherits the descriptor, unless somebody has locked it for us."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(Path(folder.path).with_name(LOCK), flags)
    except OSError:  # a bundle of somebody else has none
        return ()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return ()
    return (descriptor,)


def ports_between(ports: Iterable[Tree]) -> list[Tree]:
    """Return the port mappings that the plugins make, for what slirp4netns lets through."""
    return [
        {"hostPort": FIRST_PORT_BETWEEN + number}
        | {key: mapping[key] for key in ("containerPort", "protocol")}
        for number, mapping in enumerate(ports)
    ]


def _publish(folder: BundleFolder, ports: Iterable[Tree]) -> None:
    for number, mapping in enumerate(ports):
        arguments = {"proto": mapping["protocol"], "host_addr": mapping.get("hostIP", "0.0.0.0")}
        arguments |= {
            "host_port": mapping["hostPort"],
            "guest_port": FIRST_PORT_BETWEEN + number,
        }
        error = _call(folder, {"execute": "add_hostfwd", "arguments": arguments}).get("error")
        if error is not None:
            why = str(error.get("desc", error)) if isinstance(error, dict) else str(error)
            raise PublishFailed(mapping, why)


def _call(folder: BundleFolder, request: Tree) -> Tree:
    """Call slirp4netns's API."""
    import socket

    try:
        with connect_socket(folder, SOCKET) as api:
            api.sendall(json.dumps(request).encode())
            api.shutdown(socket.SHUT_WR)
            answer = read_answer(api)
    except OSError as error:
        why = f"slirp4netns: {error.strerror or error}"
        raise UplinkFailed(why) from None
    return answer or {"error": "slirp4netns gave no answer"}


def disconnect(folder: BundleFolder) -> bool:
    """End the slirp4netns of a bundle; return whether the bundle had one."""
    try:
        tree = json.loads(folder.read(RECORD))
        uplink = _Uplink(pid=int(tree["pid"]), born=int(tree["born"]))
    except (ValueError, KeyError, TypeError):
        return False
    end = time.monotonic() + STOP_TIMEOUT
    number = signal.SIGTERM
    while uplink.born and proc.start_time(uplink.pid) == uplink.born:
        try:
            os.kill(uplink.pid, number)
        except OSError:
            break
        time.sleep(0.005)
        if time.monotonic() > end:
            number = signal.SIGKILL
    return True


def _read_some(descriptor: int) -> bytes:
    readable, _, _ = select.select([descriptor], [], [], START_TIMEOUT)
    return os.read(descriptor, 1) if readable else b""


def _read_line(descriptor: int) -> bytes:
    line = b""
    while (byte := _read_some(descriptor)) not in (b"", b"\n"):
        line += byte
    return line


def _last_line(text: bytes) -> str:
    return text.decode(errors="replace").strip().rpartition("\n")[2] or "no reason was given"
