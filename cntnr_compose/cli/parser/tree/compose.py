"""The commands of `cntnr compose`."""

from cntnr_compose.cli.parser.options import Option
from cntnr_compose.cli.parser.program_name import version_line
from cntnr_compose.cli.parser.tree.compose_options import COMPOSE_OPTIONS, DRY_RUN
from cntnr_compose.cli.parser.tree.group import CommandEntry, Group

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
