"""Options of `cntnr run` and `cntnr create`, but for those of limits and of networks.

Most have the name of the compose key that they set: see `cli.flows.containers.flags.mapping`.
"""

from collections.abc import Callable

from cntnr_compose.cli.parser.container_options.limits import LIMIT_OPTIONS
from cntnr_compose.cli.parser.container_options.networks import NETWORK_OPTIONS
from cntnr_compose.cli.parser.options import F, Option, flag_row

PROCESS_OPTIONS = (
    Option("--entrypoint", metavar="COMMAND", help="Run this instead of the image's entrypoint."),
    Option("-e", "--env", multiple=True, metavar="NAME=VALUE", help="Set a variable."),
    Option("--env-file", multiple=True, metavar="FILE", help="Set variables from a file."),
    Option("--group-add", multiple=True, metavar="GROUP", help="Further group of the process."),
    flag_row("--init", help="Run an init that forwards signals and reaps processes."),
    flag_row("-i", "--interactive", help="Keep standard input open."),
    Option("--stop-signal", metavar="SIGNAL", help="Signal that stops the container."),
    Option("--stop-timeout", kind=int, metavar="SECONDS", help="Time to stop before it is killed."),
    flag_row("-t", "--tty", help="A terminal for the container."),
    Option("-u", "--user", metavar="USER[:GROUP]", help="User, by name or number."),
    Option("-w", "--workdir", metavar="PATH", help="Working directory."),
)

ATTACH_OPTIONS = (
    Option(
        "-a", "--attach", multiple=True, metavar="STREAM", values=("stdin", "stdout", "stderr"),
        help="Attach only this stream.",
    ),
)  # fmt: skip

# Options of the original, and of docker where no other file has them.
ENGINE_OPTIONS = (
    Option("--mount-cgroups", metavar="MODE", values=("ro", "rw", "no"), help="ro, rw or no."),
    flag_row("--no-new-keyring", help="The process has our session keyring."),
    flag_row("--no-pivot", help="Change the root without pivot_root, as on a ramdisk."),
    Option("--pidfile", metavar="FILE", help="Write the pid of the process into this file."),
    flag_row("--disable-content-trust", help="Without effect: `--image-policy` decides."),
)

WINDOWS = "it is for containers of Windows"
REFUSED_OPTIONS = tuple(
    Option(word, unsupported_hint=why, is_flag=is_flag)
    for word, why, is_flag in (
        ("--cpu-count", WINDOWS, False),
        ("--cpu-percent", WINDOWS, False),
        ("--cpuset-mems", "memory nodes cannot be chosen without root", False),
        ("--io-maxbandwidth", WINDOWS, False),
        ("--io-maxiops", WINDOWS, False),
        ("--isolation", WINDOWS, False),
        ("--kernel-memory", "the kernel has no such limit any more; see --memory", False),
        ("--use-api-socket", "there is no daemon whose socket could be given", True),
        ("--volume-driver", "volumes have the local driver; see `--mount volume-opt=…`", False),
    )
)

NAME_OPTIONS = (
    Option("--annotation", multiple=True, metavar="NAME=VALUE", help="Annotation of the bundle."),
    Option("--cidfile", metavar="FILE", help="Write the container's id into this new file."),
    Option("-l", "--label", multiple=True, metavar="NAME=VALUE", help="Set a label."),
    Option("--label-file", multiple=True, metavar="FILE", help="Set labels from a file."),
    Option("--name", metavar="NAME", help="Name of the container."),
    Option("--platform", metavar="PLATFORM", help="Platform, where the image has several."),
    Option(
        "--pull", default="missing", metavar="WHEN", values=("always", "missing", "never"),
        help="Pull the image: always, missing or never.",
    ),
    flag_row("-q", "--quiet", help="Do not show the progress of the pull."),
    Option("--restart", metavar="POLICY", help="no, on-failure[:N], always or unless-stopped."),
    flag_row("--rm", help="Remove the container when it has ended."),
)  # fmt: skip

BUNDLE_OPTIONS = (
    Option(
        "-b", "--bundle", metavar="NAME|DIR", help="Bundle whose files it has, and which stays."
    ),
    flag_row(
        "--update", help="Update a bundle that exists; its files stay, but for another image."
    ),
)

FILE_OPTIONS = (
    Option("--mount", multiple=True, metavar="FIELDS", help="Mount: type=bind,src=.,dst=/srv,…"),
    flag_row("--read-only", help="Mount the container's root read-only."),
    Option("--tmpfs", multiple=True, metavar="PATH[:OPTIONS]", help="Mount a tmpfs."),
    Option("-v", "--volume", multiple=True, metavar="VOLUME", help="Mount a folder or volume."),
    Option("--volumes-from", multiple=True, metavar="CONTAINER", help="Mount what another has."),
)

SECURITY_OPTIONS = (
    Option("--cap-add", multiple=True, metavar="CAP", help="Add a capability."),
    Option("--cap-drop", multiple=True, metavar="CAP", help="Take a capability away."),
    Option("--device", multiple=True, metavar="DEVICE", help="Device of the host."),
    Option("--device-cgroup-rule", multiple=True, metavar="RULE", help="Rule of devices."),
    Option("--gpus", metavar="GPUS", help="Refused: GPUs are given as --device here."),
    flag_row("--privileged", help="All that a user without root can give."),
    flag_row("--proot", help="Run under PRoot, which fakes users and owners."),
    Option("--security-opt", multiple=True, metavar="OPTION", help="seccomp=…, apparmor=…"),
    Option("--cgroupns", metavar="MODE", help="Namespace of cgroups: host or private."),
    Option("--ipc", metavar="MODE", help="Shared memory: private, shareable, container:NAME."),
    Option("--pid", metavar="MODE", help="Processes: host or container:NAME."),
    Option("--userns", metavar="MODE", help="User namespace: host; all share one here."),
    Option("--uts", metavar="MODE", help="Host name: host."),
)

CONTAINER_OPTIONS = (
    *ATTACH_OPTIONS,
    *ENGINE_OPTIONS,
    *REFUSED_OPTIONS,
    *NAME_OPTIONS,
    *PROCESS_OPTIONS,
    *FILE_OPTIONS,
    *NETWORK_OPTIONS,
    *SECURITY_OPTIONS,
    *LIMIT_OPTIONS,
)


def container_options(*others: Option) -> Callable[[F], F]:
    """Declare the options of a new container, and ``others``, sorted by their long words."""

    def add(function: F) -> F:
        rows = sorted((*CONTAINER_OPTIONS, *others), key=long_word)
        function.__dict__["rows"] = [*rows, *function.__dict__.get("rows", [])]
        return function

    return add


def long_word(row: Option) -> str:
    """Return the word by which messages name an option."""
    return next((word for word in row.words if word.startswith("--")), row.words[0])
