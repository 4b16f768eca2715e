"""Connect a container to networks, and disconnect it: what `cntnr-hook net init` and `net rm` do."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree
from cntnr_compose.host import files, network, process
from cntnr_compose.networks.hook import bundle_folder, handover, lists, names, uplink
from cntnr_compose.networks.hook.bundle_folder import BundleFolder
from cntnr_compose.networks.hook.handover import Namespaces, NamespacesClosed
from cntnr_compose.networks.hook.names import ConnectionRequest
from cntnr_compose.networks.hook.state import HookState, StateInvalid
from cntnr_compose.networks.hook.uplink import PluginCall
from cntnr_compose.networks.plugins import plugin_chain
from cntnr_compose.networks.plugins.plugin_chain import Conflist

if TYPE_CHECKING:
    from socket import socket

FOLDER = "cni"  # of a bundle: what the plugins are called with, and what they answer
LEASES = "leases"  # in that folder
MAX_CONFIG_SIZE = 16 << 20
SCRIPT_TIMEOUT = uplink.PLUGINS_TIMEOUT


class PluginFailed(CntnrError):
    """A CNI plugin failed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot connect the container to its networks: {why}")


def connect(state: HookState, request: ConnectionRequest) -> None:
    """Connect a container that is being created, and write its hosts and resolv.conf.

    An ordinary user's container whose namespaces only itself can open is connected when its hook `join`
    comes. Raises `CntnrError`; nothing of the connection is left then.
    """
    if not state.pid:
        why = "`pid` is missing, so the container is not there yet, or not any more"
        raise StateInvalid(why)
    plugins = lists.plugin_folder()
    conflists = [lists.find_list(name, plugins) for name in request.networks]
    with bundle_folder.open_folder(state.bundle, FOLDER, create=True) as folder:
        assert folder is not None
        is_direct = uplink.can_use_own_network()
        _write_chains(folder, conflists, request, is_direct=is_direct)
        if is_direct or not conflists:
            _finish(state, request, folder, _call_plugins if conflists else None)
            return
        with contextlib.ExitStack() as stack:
            try:
                namespaces = stack.enter_context(handover.open_namespaces(state.pid))
            except OSError as error:
                if not has_join_hook(state.bundle):
                    folder.clear()
                    raise NamespacesClosed(state.pid, error.strerror or str(error)) from None
                _serve_join(state, request, folder)
            else:
                _connect_uplink(state, request, folder, namespaces)


def _write_chains(
    folder: BundleFolder, conflists: list[Conflist], request: ConnectionRequest, *, is_direct: bool
) -> None:
    """Write what the script of the hook reads: an interface for each list."""
    leases = "" if is_direct else f"{folder.path}/{LEASES}"
    mappings = list(request.ports) if is_direct else uplink.ports_between(request.ports)
    folder.clear()
    for number, conflist in enumerate(conflists):
        chain = lists.chain_configs(conflist, [] if number else mappings, leases)
        for name, content in plugin_chain.chain_files(f"eth{number}", chain, _dump, calls_del=True):
            folder.write(name, content)


def join(state: HookState) -> None:
    """Have the container that this process is in connected, where that was left to this.

    Raises `CntnrError`.
    """
    with bundle_folder.open_folder(state.bundle, FOLDER) as folder:
        if folder is not None and handover.SOCKET in folder.names():
            handover.pass_own(folder)


def disconnect(state: HookState) -> None:
    """Disconnect a container that has ended; one without networks is fine."""
    with bundle_folder.open_folder(state.bundle, FOLDER) as folder:
        if folder is not None:
            _undo(state, folder)


def has_join_hook(bundle: str) -> bool:
    """Check whether config.json of a bundle has the hook that passes its namespaces."""
    try:
        with Path(bundle, "config.json").open("rb") as file:
            hooks = json.loads(file.read(MAX_CONFIG_SIZE)).get("hooks", {})
        return any("join" in hook.get("args", ()) for hook in hooks.get("createContainer", ()))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False


def _serve_join(state: HookState, request: ConnectionRequest, folder: BundleFolder) -> None:
    """Leave a process behind that connects the container when its hook inside passes its namespaces."""
    with handover.listen(folder) as server:
        if os.fork():
            return
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        try:
            with handover.receive(server, state.pid) as received:
                if received is not None:
                    _answer(received[0], state, request, folder, received[1])
        finally:
            os._exit(0)


def _answer(
    client: "socket",
    state: HookState,
    request: ConnectionRequest,
    folder: BundleFolder,
    namespaces: Namespaces,
) -> None:
    failure: CntnrError | None = None
    try:
        _connect_uplink(state, request, folder, namespaces)
    except CntnrError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - nobody else would tell
        failure = PluginFailed(f"{type(error).__name__}: {error}")
    handover.reply(client, failure)


def _connect_uplink(
    state: HookState, request: ConnectionRequest, folder: BundleFolder, namespaces: Namespaces
) -> None:
    subnet = network.choose_uplink(network.machine_subnets())

    def call(call: PluginCall) -> int:
        return uplink.connect(call, state.pid, namespaces, folder, request.ports, subnet)

    _finish(state, request, folder, call, (network.name_server(subnet),))


def _call_plugins(call: PluginCall) -> int:
    done = process.run(
        call.argv, env=call.env, stdin=call.state, ok=range(256), timeout=SCRIPT_TIMEOUT
    )
    return done.returncode


def _finish(
    state: HookState,
    request: ConnectionRequest,
    folder: BundleFolder,
    run: Callable[[PluginCall], int] | None,
    servers: tuple[str, ...] = (),
) -> None:
    """Call the plugins, and write the names; ``servers`` are there beside those that plugins name."""
    argv = plugin_chain.script_argv("add", state.id)
    call = PluginCall(argv=argv, env=_environment(), state=state.to_line())
    try:
        if run is not None and run(call) != 0:
            raise PluginFailed(_read_failure(folder))
        names.write_names(state.bundle, request, names.read_results(folder), servers)
    except TimeoutError:
        _undo(state, folder)
        why = f"a plugin took longer than {SCRIPT_TIMEOUT:.0f} seconds"
        raise PluginFailed(why) from None
    except BaseException:
        _undo(state, folder)
        raise


def _undo(state: HookState, folder: BundleFolder) -> None:
    """Release what the plugins have made, and remove the files of the connection."""
    had_uplink = uplink.disconnect(folder)
    if not had_uplink and any(name.endswith(".conf") for name in folder.names()):
        process.run(
            plugin_chain.script_argv("del", state.id),
            env=_environment(),
            stdin=state.to_line(),
            ok=range(256),
            timeout=SCRIPT_TIMEOUT,
        )
    folder.clear()
    files.remove_tree(Path(folder.path, LEASES))


def _environment() -> dict[str, str]:
    """Build the environment of the plugins."""
    more = {name: os.environ[name] for name in ("CNI_ARGS", "CAP_ARGS") if name in os.environ}
    return process.base_env(CNI_PATH=str(lists.plugin_folder()), **more)


def _dump(tree: Tree) -> bytes:
    return json.dumps(tree, separators=(",", ":")).encode()


def _read_failure(folder: BundleFolder) -> str:
    for name in folder.names():
        if name.endswith(".error"):
            tree = names.read_tree(folder, name)
            text = f"{tree.get('msg', '')} {tree.get('details', '')}".strip()
            return f"{name.removesuffix('.error')}: {text or 'a plugin failed without a word'}"
    return "a plugin failed without a word"
