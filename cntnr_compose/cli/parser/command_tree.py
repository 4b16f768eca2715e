"""The tree of all commands: groups and command modules, of which only the one that runs is imported."""

from cntnr_compose import __version__
from cntnr_compose.cli.parser.options import Option, shared_option
from cntnr_compose.cli.parser.tree.compose import COMPOSE
from cntnr_compose.cli.parser.tree.containers import CONTAINER, NO_UPDATE
from cntnr_compose.cli.parser.tree.group import CommandEntry, Entry, Group
from cntnr_compose.cli.parser.tree.images import BUILDER, BUILDX, IMAGE
from cntnr_compose.cli.parser.tree.resources import BUNDLE, HOOK, NETWORK, SYSTEM, VOLUME

GLOBAL_OPTIONS = (
    shared_option(
        "image_policy",
        "--image-policy",
        metavar="FILE",
        help="What may be pulled: policy.json, reject or insecure.",
    ),
    shared_option(
        "additional_stores",
        "--additional-store",
        multiple=True,
        metavar="DIR",
        help="Read-only image store, looked through first.",
    ),
)

# Commands of groups that are commands of `cntnr` itself, too.
OF_CONTAINER = (
    "attach commit cp create diff exec export kill logs pause port rename "
    "restart rm run start stats stop top unpause wait"
)
OF_IMAGE = "build load pull push save tag"
OF_SYSTEM = "events info"


def _list_entries() -> dict[str, Entry]:
    """Return the entries of `cntnr` itself in the order of their names."""
    entries: dict[str, Entry] = {
        "builder": BUILDER,
        "buildx": BUILDX,
        "bundle": BUNDLE,
        "compose": COMPOSE,
        "completion": CommandEntry("completion:completion", "Print the script for TAB in a shell"),
        "container": CONTAINER,
        "docker-cli-plugin-metadata": CommandEntry(
            "install_plugin:metadata", "Describe the plugin to docker", hidden=True
        ),
        "doctor": CommandEntry("doctor:doctor", "What this machine allows, and its cures"),
        "hook": HOOK,
        "gc": CommandEntry("gc:gc", "Remove bundles and images that were not used for long"),
        "image": IMAGE,
        "inspect": CommandEntry(
            "inspect:inspect", "Describe containers, images, networks, volumes"
        ),
        "install-plugin": CommandEntry(
            "install_plugin:install_plugin", "Have `docker compose` answered by cntnr"
        ),
        "network": NETWORK,
        "system": SYSTEM,
        "version": CommandEntry("version:version", "Show the versions"),
        "volume": VOLUME,
        "images": IMAGE.entries["ls"],
        "ps": CONTAINER.entries["ls"],
        "rmi": IMAGE.entries["rm"],
    }
    for group, names in ((CONTAINER, OF_CONTAINER), (IMAGE, OF_IMAGE), (SYSTEM, OF_SYSTEM)):
        entries |= {name: group.entries[name] for name in names.split()}
    return dict(sorted(entries.items()))


ROOT = Group(
    _list_entries(),
    summary="",
    description="Run containers and compose files without root.",
    unsupported={"update": NO_UPDATE},
    options=(
        *GLOBAL_OPTIONS,
        Option(
            "-v",
            "--version",
            "show_version",
            prints=f"cntnr version {__version__}",
            is_flag=True,
            help="Show the version and exit.",
        ),
    ),
)
