"""The commands of networks, volumes, bundles, and of all that is stored."""

from cntnr_compose.cli.parser.tree.group import CommandEntry, Group

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


SYSTEM = Group(
    {
        "df": CommandEntry("system.df:df", "Show how much disk all takes"),
        "events": CommandEntry("events:events", "Show events of containers as they happen"),
        "info": CommandEntry("system.info:info", "Show what this machine offers containers"),
        "prune": CommandEntry("system.prune:prune", "Remove what nobody uses"),
    },
    summary="This machine: its room, what it offers",
    description="Manage what is stored, and show what this machine offers containers.",
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
