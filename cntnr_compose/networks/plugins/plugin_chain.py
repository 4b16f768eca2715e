"""Call CNI plugins: the shell script of the hook, and the files in a bundle's ``cni`` folder that it reads.

One configuration an interface (``eth0.conf``, …); the results are written beside them. Of a list that chains
further plugins ``eth0.add`` has a line for each, ``eth0.del`` all of them in reverse. A line is the plugin's
name and its configuration without the first brace, so that the shell can put the result of the plugin before
in front. ``eth0.type`` names the first plugin where that is another than bridge.

Used by supervisors and by `cntnr-hook`, which has to start quickly: import little.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from cntnr_compose.core.frozen import Frozen, Tree

NETNS = (
    "NETNS"  # variable: the path of the container's network namespace, where its pid says nothing
)
# The state of the container comes on standard input (runtime-spec, "state"). runc ends it without a newline;
# crun 1.28 writes several lines, with spaces, and "\/" for each slash, which `read` without -r takes back.
# After its end the container's namespace is gone, which an empty CNI_NETNS says. The name of an interface as
# the last word means this one alone, of a container that lives.
HOOK_SCRIPT = r"""
state=
while read line || [ "$line" ]; do state=$state$line; done
pid=${state#*\"pid\":}; pid=${pid%%[,\}]*}; pid=${pid##* }
bundle=${state#*\"bundle\":*\"}; bundle=${bundle%%\"*}
id=${state#*\"id\":*\"}; id=${id%%\"*}
cd "$bundle/cni" || exit 1
export CNI_CONTAINERID=$id CNI_NETNS=${NETNS:-/proc/$pid/ns/net} CNI_COMMAND=ADD
[ "$1" = add ] || CNI_COMMAND=DEL
[ "$1$3" != del ] || CNI_NETNS=
failed() { mv "$1" "./$CNI_IFNAME.error"; cat "./$CNI_IFNAME.error" >&2; exit 1; }
for conf in *.conf .*.conf; do
  [ -e "$conf" ] || continue
  CNI_IFNAME=${conf%.conf}; export CNI_IFNAME
  [ "${3:-$CNI_IFNAME}" = "$CNI_IFNAME" ] || continue
  result=./$CNI_IFNAME.result; next=./$CNI_IFNAME.next; first=bridge
  [ ! -e "$CNI_IFNAME.type" ] || read -r first <"$CNI_IFNAME.type"
  if [ "$1" = add ]; then
    "$CNI_PATH/$first" <"$conf" >"$result" || failed "$result"
    [ -e "$CNI_IFNAME.add" ] || continue
    while read -r plugin rest; do
      printf '{"prevResult":%s,%s' "$(cat "$result")" "$rest" | "$CNI_PATH/$plugin" >"$next" || failed "$next"
      mv "$next" "$result"
    done <"$CNI_IFNAME.add"
  elif [ -e "$CNI_IFNAME.del" ]; then
    before=
    [ ! -s "$result" ] || before="\"prevResult\":$(cat "$result"),"
    while read -r plugin rest; do
      printf '{%s%s' "$before" "$rest" | "$CNI_PATH/$plugin" >/dev/null 2>&1
    done <"$CNI_IFNAME.del"
  elif [ "$3" ]; then
    "$CNI_PATH/$first" <"$conf" >/dev/null 2>&1
  else
    "$CNI_PATH/host-local" <"$conf" >/dev/null 2>&1
  fi
done
exit 0
"""


class Conflist(Frozen):
    """A configuration list (CNI specification, "Network configuration")."""

    file: str
    version: str
    name: str
    plugins: tuple[Tree, ...]
    is_shipped: bool = False  # cntnr's own: only the address is to be released

    @property
    def mtu(self) -> int:
        """Return the MTU that its bridge asks for; 0 where it asks for none."""
        return int(self.plugins[0].get("mtu", 0))


def oci_hooks(identity: str, environment: Mapping[str, str]) -> Tree:
    """Build the ``hooks`` of a runtime spec that call the plugins of a bundle.

    The container's id is an argument, so that a hook that still runs can be found by it.
    """
    env = [f"{name}={value}" for name, value in environment.items()]

    def hook(verb: str) -> Tree:
        return {"path": "/bin/sh", "args": script_argv(verb, identity), "env": env}

    return {"prestart": [hook("add")], "poststop": [hook("del")]}


def script_argv(*words: str) -> list[str]:
    """Build the command that calls the plugins; it reads the container's state from standard input.

    The words are ``add`` or ``del``, the container's id and, where it is meant alone, an interface.
    """
    return ["sh", "-c", HOOK_SCRIPT, "cntnr-network", *words]


def chain_files(
    interface: str, plugins: Sequence[Tree], dump: Callable[[Tree], bytes], *, calls_del: bool
) -> Iterable[tuple[str, bytes]]:
    """Build the files of an interface: names and contents.

    Where not ``calls_del`` only the lease of the address is given back afterwards.
    """
    first, *chained = plugins
    yield f"{interface}.conf", dump(first)
    if first["type"] != "bridge":
        yield f"{interface}.type", f"{first['type']}\n".encode()
    if chained:
        yield f"{interface}.add", _lines(chained, dump)
    if calls_del:
        yield f"{interface}.del", _lines(plugins[::-1], dump)


def _lines(plugins: Iterable[Tree], dump: Callable[[Tree], bytes]) -> bytes:
    return b"".join(
        str(plugin["type"]).encode() + b" " + dump(plugin).removeprefix(b"{") + b"\n"
        for plugin in plugins
    )
