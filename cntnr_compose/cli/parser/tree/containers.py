"""The commands of `cntnr container`."""

from cntnr_compose.cli.parser.tree.group import CommandEntry, Group

NO_UPDATE = "limits and restart policy of a container are set when it is created"

CONTAINER = Group(
    {
        "attach": CommandEntry("container.attach:attach", "Connect to the streams of a container"),
        "commit": CommandEntry("container.commit:commit", "Make an image of a container's changes"),
        "cp": CommandEntry("container.cp:cp", "Copy files between a container and this machine"),
        "create": CommandEntry("container.create:create", "Create a container"),
        "diff": CommandEntry("container.diff:diff", "List what a container has changed"),
        "exec": CommandEntry("container.exec:exec_", "Run a command in a running container"),
        "export": CommandEntry("container.export:export", "Write the files of a container as tar"),
        "inspect": CommandEntry("container.inspect:inspect", "Describe containers"),
        "kill": CommandEntry("container.kill:kill", "Send a signal to containers"),
        "logs": CommandEntry("container.logs:logs", "Show what a container wrote"),
        "ls": CommandEntry("container.ls:ls", "List containers"),
        "pause": CommandEntry("container.pause:pause", "Pause containers"),
        "port": CommandEntry("container.port:port", "Print where ports are published"),
        "prune": CommandEntry("container.prune:prune", "Remove all stopped containers"),
        "rename": CommandEntry("container.rename:rename", "Give a container another name"),
        "restart": CommandEntry("container.restart:restart", "Restart containers"),
        "rm": CommandEntry("container.rm:rm", "Remove containers"),
        "run": CommandEntry("container.run:run", "Run a command in a new container"),
        "start": CommandEntry("container.start:start", "Start containers that exist"),
        "stats": CommandEntry("container.stats:stats", "Show what containers use"),
        "stop": CommandEntry("container.stop:stop", "Stop containers"),
        "systemd": CommandEntry("container.systemd:systemd", "Print a unit that runs a container"),
        "top": CommandEntry("container.top:top", "Show the processes of a container"),
        "unpause": CommandEntry("container.unpause:unpause", "Let paused containers go on"),
        "wait": CommandEntry("container.wait:wait", "Wait until containers end"),
    },
    summary="Containers of all projects, and of none",
    description="Manage containers: those of projects, and those that belong to none.",
    unsupported={"update": NO_UPDATE},
    aliases={"list": "ls", "ps": "ls", "remove": "rm"},
)
