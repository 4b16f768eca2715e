"""The tree of all commands: groups and command modules, of which only the one that runs is imported."""

import sys
from collections.abc import Mapping
from typing import TypeAlias

from cntnr_compose import __version__
from cntnr_compose.cli.parser.options import (
    COMPOSE_OPTIONS,
    DRY_RUN,
    GLOBAL_OPTIONS,
    Command,
    Option,
)
from cntnr_compose.cli.parser.program_name import version_line

COMMANDS = "cntnr_compose.cli.commands."


class CommandEntry:
    """A command that is not imported yet: ``module:attribute``, and its line in the help of its group."""

    def __init__(self, target: str, summary: str, *, hidden: bool = False) -> None:
        self.target = target
        self.summary = summary
        self.hidden = hidden  # not listed

    def load(self) -> Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        __import__(COMMANDS + module)  # `importlib` would have to be imported
        command = getattr(sys.modules[COMMANDS + module], attribute)
        assert isinstance(command, Command)
        return command


Entry: TypeAlias = "Group | CommandEntry"


class Group:
    """Commands behind one word, as `cntnr compose`; some may be groups again."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        *,
        summary: str,
        description: str,
        options: tuple[Option, ...] = (),
        aliases: Mapping[str, str] | None = None,
        unsupported: Mapping[str, str] | None = None,
        hidden: bool = False,
    ) -> None:
        """Take the commands by name, other names of them, and hints for docker's that are missing here."""
        self.entries = entries
        self.summary = summary
        self.description = description
        self.options = options
        self.aliases = aliases or {}
        self.unsupported = unsupported or {}
        self.hidden = hidden  # not listed

    def commands(self) -> dict[str, CommandEntry]:
        """Return the commands by name, without the groups."""
        return {
            name: entry for name, entry in self.entries.items() if isinstance(entry, CommandEntry)
        }

    def find(self, name: str) -> "Group | Command | None":
        """Return a group or import a command; None if there is none of this name."""
        entry = self.entries.get(self.aliases.get(name, name))
        return entry.load() if isinstance(entry, CommandEntry) else entry


ALPHA = Group(
    {
        "generate": CommandEntry("compose.generate:generate", "Print a compose file of containers"),
        "publish": CommandEntry(
            "compose.publish:publish", "Publish the project's files in a registry"
        ),
        "viz": CommandEntry("compose.viz:viz", "Print services as a graph for Graphviz"),
    },
    summary="Commands that docker compose calls experimental",
    description="Commands that docker compose calls experimental.",
    options=(DRY_RUN,),
    hidden=True,
)

BRIDGE = Group(
    {
        "convert": CommandEntry("compose.bridge:convert", "Convert compose files"),
        "transformations": Group(
            {
                "create": CommandEntry(
                    "compose.bridge:create_transformation", "Create a transformation"
                ),
                "list": CommandEntry("compose.bridge:list_transformations", "List transformations"),
            },
            summary="Manage transformations",
            description="Manage transformations: images that convert compose files.",
            options=(DRY_RUN,),
            aliases={"ls": "list"},
        ),
    },
    summary="Convert compose files into another model",
    description="Convert compose files into another model, such as Kubernetes manifests.",
    options=(DRY_RUN,),
)

COMPOSE = Group(
    {
        "alpha": ALPHA,
        "attach": CommandEntry("compose.attach:attach", "Connect to the streams of a container"),
        "bridge": BRIDGE,
        "build": CommandEntry("compose.build:build", "Build images of services"),
        "check": CommandEntry(
            "compose.check:check", "Tell how each key of the file is honoured here"
        ),
        "commit": CommandEntry("compose.commit:commit", "Make an image of a container's changes"),
        "config": CommandEntry(
            "compose.config:config", "Show what the files mean, resolved and canonical"
        ),
        "cp": CommandEntry("compose.cp:cp", "Copy files to containers and from them"),
        "create": CommandEntry("compose.create:create", "Create containers without starting them"),
        "disable": CommandEntry("compose.disable:disable", "Undo enable"),
        "down": CommandEntry("compose.down:down", "Stop and remove containers and networks"),
        "enable": CommandEntry("compose.enable:enable", "Have containers start after a reboot"),
        "export": CommandEntry("compose.export:export", "Write the files of a container as tar"),
        "events": CommandEntry("compose.events:events", "Show events of containers as they happen"),
        "exec": CommandEntry("compose.exec:exec_", "Run a command in a running container"),
        "images": CommandEntry("compose.images:images", "List the images of containers"),
        "kill": CommandEntry("compose.kill:kill", "Send a signal to containers"),
        "logs": CommandEntry("compose.logs:logs", "Show what containers wrote"),
        "ls": CommandEntry("compose.ls:ls", "List projects"),
        "pause": CommandEntry("compose.pause:pause", "Pause containers"),
        "plan": CommandEntry("compose.plan:plan", "Print what `up` would do, step by step"),
        "port": CommandEntry("compose.port:port", "Print where a port is published"),
        "ps": CommandEntry("compose.ps:ps", "List containers"),
        "publish": CommandEntry(
            "compose.publish:publish", "Publish the project's files in a registry"
        ),
        "pull": CommandEntry("compose.pull:pull", "Get images of services from registries"),
        "push": CommandEntry("compose.push:push", "Push images of services to registries"),
        "restart": CommandEntry("compose.restart:restart", "Restart containers"),
        "rm": CommandEntry("compose.rm:rm", "Remove stopped containers"),
        "run": CommandEntry("compose.run:run", "Run a command in a container of its own"),
        "scale": CommandEntry("compose.scale:scale", "Change how many containers services have"),
        "start": CommandEntry("compose.start:start", "Start containers that exist"),
        "stats": CommandEntry("compose.stats:stats", "Show what containers use"),
        "stop": CommandEntry("compose.stop:stop", "Stop containers"),
        "systemd": CommandEntry("compose.systemd:systemd", "Print a unit that runs the project"),
        "top": CommandEntry("compose.top:top", "Show the processes of containers"),
        "unpause": CommandEntry("compose.unpause:unpause", "Let paused containers go on"),
        "up": CommandEntry("compose.up:up", "Create and start containers"),
        "version": CommandEntry("compose.version:version", "Show the version"),
        "volumes": CommandEntry("compose.volumes:volumes", "List the volumes of a project"),
        "wait": CommandEntry("compose.wait:wait", "Wait until containers end"),
        "watch": CommandEntry(
            "compose.watch:watch", "Bring changes of files into containers as they happen"
        ),
        "why": CommandEntry("compose.why:why", "Tell why a service is in the state that it is in"),
    },
    summary="Services of a compose file",
    description="Bring the services of a compose file up, without root.",
    options=(
        *COMPOSE_OPTIONS,
        # Not listed, as in docker compose: `version` is.
        Option("-v", "--version", "show_version", prints=version_line(), is_flag=True),
    ),
    aliases={"convert": "config"},
)

NETWORK = Group(
    {
        "connect": CommandEntry("network.connect:connect", "Connect a container to a network"),
        "create": CommandEntry("network.create:create", "Create a network for several projects"),
        "disconnect": CommandEntry(
            "network.disconnect:disconnect", "Disconnect a container from a network"
        ),
        "inspect": CommandEntry("network.inspect:inspect", "Describe networks"),
        "ls": CommandEntry("network.ls:ls", "List networks"),
        "prune": CommandEntry("network.prune:prune", "Remove all unused networks"),
        "rm": CommandEntry("network.rm:rm", "Remove networks"),
    },
    summary="Networks of all projects",
    description="Manage networks: those of projects, and those that several projects share.",
    aliases={"list": "ls", "remove": "rm"},
)

VOLUME = Group(
    {
        "create": CommandEntry("volume.create:create", "Create a volume"),
        "inspect": CommandEntry("volume.inspect:inspect", "Describe volumes"),
        "ls": CommandEntry("volume.ls:ls", "List volumes"),
        "prune": CommandEntry("volume.prune:prune", "Remove unused volumes"),
        "rm": CommandEntry("volume.rm:rm", "Remove volumes"),
    },
    summary="Volumes of all projects",
    description="Manage volumes: those of projects, and those that several projects share.",
    aliases={"list": "ls", "remove": "rm"},
    unsupported={"update": "it changes volumes of a swarm, and there is none"},
)

# Commands of `cntnr image` that are commands of `cntnr`, too.
BUILD = CommandEntry("image.build:build", "Build an image")
IMAGES_LS = CommandEntry("image.ls:ls", "List images")
IMAGE_PULL = CommandEntry("image.pull:pull", "Get an image from a registry")
IMAGE_PUSH = CommandEntry("image.push:push", "Push an image to its registry")
IMAGE_LOAD = CommandEntry("image.load:load", "Load images from a tar archive")
IMAGE_RM = CommandEntry("image.rm:rm", "Remove images")
IMAGE_SAVE = CommandEntry("image.save:save", "Write images into a tar archive")
IMAGE_TAG = CommandEntry("image.tag:tag", "Give an image a further name")

IMAGE = Group(
    {
        "build": BUILD,
        "cat-config": CommandEntry("image.cat_config:cat_config", "Print an image's configuration"),
        "create": CommandEntry("image.create:create", "Build an image by steps given as options"),
        "du": CommandEntry(
            "image.du:du", "Show how much disk images and what belongs to them take"
        ),
        "export": CommandEntry("image.export:export", "Copy an image to anywhere"),
        "fsck": CommandEntry("image.fsck:fsck", "Check the files of images, and repair them"),
        "gc": CommandEntry("image.gc:gc", "Remove images that were not used for long"),
        "history": CommandEntry("image.history:history", "Show of what an image was made"),
        "import": CommandEntry("image.import_:import_", "Copy an image from anywhere"),
        "inspect": CommandEntry("image.inspect:inspect", "Describe images"),
        "load": IMAGE_LOAD,
        "ls": IMAGES_LS,
        "prune": CommandEntry("image.prune:prune", "Remove unused images"),
        "pull": IMAGE_PULL,
        "push": IMAGE_PUSH,
        "rm": IMAGE_RM,
        "save": IMAGE_SAVE,
        "tag": IMAGE_TAG,
        "untag": CommandEntry("image.untag:untag", "Take names of images away"),
    },
    summary="Images of this machine",
    description="Manage images: those of projects, and all others of this machine.",
    aliases={"list": "ls", "remove": "rm"},
)

# Commands of `cntnr container` that are commands of `cntnr`, too.
CONTAINER_ATTACH = CommandEntry("container.attach:attach", "Connect to the streams of a container")
CONTAINER_COMMIT = CommandEntry("container.commit:commit", "Make an image of a container's changes")
CONTAINER_CP = CommandEntry("container.cp:cp", "Copy files between a container and this machine")
CONTAINER_CREATE = CommandEntry("container.create:create", "Create a container")
CONTAINER_DIFF = CommandEntry("container.diff:diff", "List what a container has changed")
CONTAINER_EXEC = CommandEntry("container.exec:exec_", "Run a command in a running container")
CONTAINER_EXPORT = CommandEntry("container.export:export", "Write the files of a container as tar")
CONTAINER_KILL = CommandEntry("container.kill:kill", "Send a signal to containers")
CONTAINER_LOGS = CommandEntry("container.logs:logs", "Show what a container wrote")
CONTAINER_LS = CommandEntry("container.ls:ls", "List containers")
CONTAINER_PAUSE = CommandEntry("container.pause:pause", "Pause containers")
CONTAINER_PORT = CommandEntry("container.port:port", "Print where ports are published")
CONTAINER_RENAME = CommandEntry("container.rename:rename", "Give a container another name")
CONTAINER_RESTART = CommandEntry("container.restart:restart", "Restart containers")
CONTAINER_RM = CommandEntry("container.rm:rm", "Remove containers")
CONTAINER_RUN = CommandEntry("container.run:run", "Run a command in a new container")
CONTAINER_START = CommandEntry("container.start:start", "Start containers that exist")
CONTAINER_STATS = CommandEntry("container.stats:stats", "Show what containers use")
CONTAINER_TOP = CommandEntry("container.top:top", "Show the processes of a container")
CONTAINER_STOP = CommandEntry("container.stop:stop", "Stop containers")
CONTAINER_UNPAUSE = CommandEntry("container.unpause:unpause", "Let paused containers go on")
CONTAINER_WAIT = CommandEntry("container.wait:wait", "Wait until containers end")

NO_UPDATE = "limits and restart policy of a container are set when it is created"

CONTAINER = Group(
    {
        "attach": CONTAINER_ATTACH,
        "commit": CONTAINER_COMMIT,
        "cp": CONTAINER_CP,
        "create": CONTAINER_CREATE,
        "diff": CONTAINER_DIFF,
        "exec": CONTAINER_EXEC,
        "export": CONTAINER_EXPORT,
        "inspect": CommandEntry("container.inspect:inspect", "Describe containers"),
        "kill": CONTAINER_KILL,
        "logs": CONTAINER_LOGS,
        "ls": CONTAINER_LS,
        "pause": CONTAINER_PAUSE,
        "port": CONTAINER_PORT,
        "prune": CommandEntry("container.prune:prune", "Remove all stopped containers"),
        "rename": CONTAINER_RENAME,
        "restart": CONTAINER_RESTART,
        "rm": CONTAINER_RM,
        "run": CONTAINER_RUN,
        "start": CONTAINER_START,
        "stats": CONTAINER_STATS,
        "stop": CONTAINER_STOP,
        "systemd": CommandEntry("container.systemd:systemd", "Print a unit that runs a container"),
        "top": CONTAINER_TOP,
        "unpause": CONTAINER_UNPAUSE,
        "wait": CONTAINER_WAIT,
    },
    summary="Containers of all projects, and of none",
    description="Manage containers: those of projects, and those that belong to none.",
    unsupported={"update": NO_UPDATE},
    aliases={"list": "ls", "ps": "ls", "remove": "rm"},
)

INFO = CommandEntry("system.info:info", "Show what this machine offers containers")

EVENTS = CommandEntry("events:events", "Show events of containers as they happen")

SYSTEM = Group(
    {
        "df": CommandEntry("system.df:df", "Show how much disk all takes"),
        "events": EVENTS,
        "info": INFO,
        "prune": CommandEntry("system.prune:prune", "Remove what nobody uses"),
    },
    summary="This machine: its room, what it offers",
    description="Manage what is stored, and show what this machine offers containers.",
)

BUILDER_PRUNE = CommandEntry("builder.prune:prune", "Remove the build cache")

BUILDER = Group(
    {
        "build": BUILD,
        "prune": BUILDER_PRUNE,
    },
    summary="The cache of builds",
    description="Manage the cache of builds.",
)

BUILDX = Group(
    {"build": BUILD, "prune": BUILDER_PRUNE},
    summary="docker's other name of builder",
    description="Build images, and remove the build cache: docker's other name of `cntnr builder`.",
    aliases={"b": "build"},
    hidden=True,
)

BUNDLE = Group(
    {
        "create": CommandEntry("bundle.create:create", "Create an OCI bundle, or update it"),
        "gc": CommandEntry("bundle.gc:gc", "Remove bundles that were not used for long"),
        "inspect": CommandEntry("bundle.inspect:inspect", "Describe bundles"),
        "ls": CommandEntry("bundle.ls:ls", "List bundles"),
        "rm": CommandEntry("bundle.rm:rm", "Remove bundles"),
        "run": CommandEntry("bundle.run:run", "Run a bundle, also one that others made"),
    },
    summary="OCI bundles that stay",
    description="Manage OCI bundles that stay: root file system and configuration of a container.",
    aliases={"list": "ls", "remove": "rm", "delete": "rm"},
)

HOOK = Group(
    {
        "net": Group(
            {
                "init": CommandEntry("hook.init:init", "Connect a container to networks"),
                "join": CommandEntry("hook.join:join", "Pass the namespaces of a container"),
                "rm": CommandEntry("hook.rm:rm", "Disconnect a container"),
            },
            summary="Networks of a container that any OCI runtime runs",
            description="Connect containers that any OCI runtime runs to networks of CNI.",
        ),
    },
    summary="What an OCI runtime calls as a hook",
    description="What an OCI runtime calls as a hook: the program `cntnr-hook`.",
    hidden=True,
)

ROOT = Group(
    {
        "attach": CONTAINER_ATTACH,
        "build": BUILD,
        "builder": BUILDER,
        "buildx": BUILDX,
        "bundle": BUNDLE,
        "commit": CONTAINER_COMMIT,
        "compose": COMPOSE,
        "completion": CommandEntry("completion:completion", "Print the script for TAB in a shell"),
        "container": CONTAINER,
        "cp": CONTAINER_CP,
        "create": CONTAINER_CREATE,
        "diff": CONTAINER_DIFF,
        "docker-cli-plugin-metadata": CommandEntry(
            "install_plugin:metadata", "Describe the plugin to docker", hidden=True
        ),
        "doctor": CommandEntry("doctor:doctor", "What this machine allows, and its cures"),
        "events": EVENTS,
        "exec": CONTAINER_EXEC,
        "export": CONTAINER_EXPORT,
        "hook": HOOK,
        "gc": CommandEntry("gc:gc", "Remove bundles and images that were not used for long"),
        "image": IMAGE,
        "images": IMAGES_LS,
        "info": INFO,
        "inspect": CommandEntry(
            "inspect:inspect", "Describe containers, images, networks, volumes"
        ),
        "install-plugin": CommandEntry(
            "install_plugin:install_plugin", "Have `docker compose` answered by cntnr"
        ),
        "kill": CONTAINER_KILL,
        "load": IMAGE_LOAD,
        "logs": CONTAINER_LOGS,
        "network": NETWORK,
        "pause": CONTAINER_PAUSE,
        "port": CONTAINER_PORT,
        "ps": CONTAINER_LS,
        "pull": IMAGE_PULL,
        "push": IMAGE_PUSH,
        "rename": CONTAINER_RENAME,
        "restart": CONTAINER_RESTART,
        "rm": CONTAINER_RM,
        "rmi": IMAGE_RM,
        "run": CONTAINER_RUN,
        "save": IMAGE_SAVE,
        "start": CONTAINER_START,
        "stats": CONTAINER_STATS,
        "stop": CONTAINER_STOP,
        "system": SYSTEM,
        "tag": IMAGE_TAG,
        "top": CONTAINER_TOP,
        "unpause": CONTAINER_UNPAUSE,
        "version": CommandEntry("version:version", "Show the versions"),
        "volume": VOLUME,
        "wait": CONTAINER_WAIT,
    },
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
