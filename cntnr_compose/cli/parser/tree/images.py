"""The commands of `cntnr image`, and those that docker calls builder and buildx."""

from cntnr_compose.cli.parser.tree.group import CommandEntry, Group

IMAGE = Group(
    {
        "build": CommandEntry("image.build:build", "Build an image"),
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
        "load": CommandEntry("image.load:load", "Load images from a tar archive"),
        "ls": CommandEntry("image.ls:ls", "List images"),
        "prune": CommandEntry("image.prune:prune", "Remove unused images"),
        "pull": CommandEntry("image.pull:pull", "Get an image from a registry"),
        "push": CommandEntry("image.push:push", "Push an image to its registry"),
        "rm": CommandEntry("image.rm:rm", "Remove images"),
        "save": CommandEntry("image.save:save", "Write images into a tar archive"),
        "tag": CommandEntry("image.tag:tag", "Give an image a further name"),
        "untag": CommandEntry("image.untag:untag", "Take names of images away"),
    },
    summary="Images of this machine",
    description="Manage images: those of projects, and all others of this machine.",
    aliases={"list": "ls", "remove": "rm"},
)


PRUNE_CACHE = CommandEntry("builder.prune:prune", "Remove the build cache")

BUILDER = Group(
    {
        "build": IMAGE.entries["build"],
        "prune": PRUNE_CACHE,
    },
    summary="The cache of builds",
    description="Manage the cache of builds.",
)

BUILDX = Group(
    {"build": IMAGE.entries["build"], "prune": PRUNE_CACHE},
    summary="docker's other name of builder",
    description="Build images, and remove the build cache: docker's other name of `cntnr builder`.",
    aliases={"b": "build"},
    hidden=True,
)
