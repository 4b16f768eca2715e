"""Rows of options that `build` and `image create` share: steps, the network of RUN, outputs."""

from collections.abc import Callable

from cntnr_compose.cli.parser.options import F, option

STEPS = (
    ("from", "IMAGE", "Step: start from an image; `scratch` is an empty one."),
    ("dockerfile", "FILE", "Step: start from what a Dockerfile of the context builds."),
    ("run", "COMMAND", "Step: run a command by /bin/sh; a JSON list of words without it."),
    ("run-sh", "COMMAND", "Step: run a command by /bin/sh."),
    ("add", "SRC...[DEST[:USER[:GROUP]]]", "Step: add files, URLs; unpack archives."),
    ("copy", "SRC...[DEST[:USER[:GROUP]]]", "Step: copy files."),
    ("env", "NAME=VALUE", "Step: set variables."),
    ("cmd", "WORDS", "Step: set the command, in words as a shell has them."),
    ("entrypoint", "WORDS", "Step: set the entrypoint."),
    ("author", "NAME", "Step: set the author."),
    ("workdir", "PATH", "Step: set the working directory."),
    ("user", "USER[:GROUP]", "Step: set the user."),
)


def step_options(
    *, listed: bool = True, dockerfile: tuple[str, ...] = ("--dockerfile",)
) -> Callable[[F], F]:
    """Add the options of all steps to a command's function; not ``listed``, help leaves them out."""

    def add(function: F) -> F:
        for name, metavar, text in reversed(STEPS):
            words = dockerfile if name == "dockerfile" else (f"--{name}",)
            words += ("--work",) if name == "workdir" else ()
            row = option(
                *words, "steps", multiple=True, tag=name, metavar=metavar,
                help=text if listed else "",
            )  # fmt: skip
            function = row(function)
        return function

    return add


def network_option(of_what: str) -> Callable[[F], F]:
    """Declare `--network` of a step that runs a command, which help calls ``of_what``."""
    return option(
        "--network",
        default="default",
        metavar="MODE",
        values=("default", "none", "host"),
        help=f"Network of {of_what}: default, none or host.",
    )


def output_option() -> Callable[[F], F]:
    """Declare `--output`, which may be given several times."""
    return option(
        "-o",
        "--output",
        multiple=True,
        metavar="OUTPUT",
        help="Where the result goes, as type=local,dest=out.",
    )
