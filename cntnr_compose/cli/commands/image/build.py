"""`cntnr build` and `cntnr image build`: build an image, from a Dockerfile or by steps given as options."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.cli.parser.step_options import network_option, output_option, step_options
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.builder.request import BuildRequest
    from cntnr_compose.cli.flows.image_build.arguments import BuildArguments
    from cntnr_compose.cli.flows.image_build.flow import Build, ResultOptions

RESULTS = ("progress", "quiet", "iidfile", "metadata_file", "shell_on_failure")
# Options of the builder before BuildKit.
IGNORED = (
    "compress", "cpu_period", "cpu_quota", "cpu_shares", "cpuset_cpus", "cpuset_mems", "isolation",
    "memory_swap", "security_opt",
)  # fmt: skip
PROGRESS_MODES = ("auto", "plain", "tty", "quiet", "rawjson", "none")


class ContextNeeded(CntnrError):
    """No context is named."""

    hint = "`cntnr build .` builds the Dockerfile of the current directory"

    def __init__(self) -> None:
        super().__init__("cntnr build requires 1 argument: PATH, URL or -")


class CallUnsupported(CntnrError):
    """`--call` asks for what cannot be answered."""

    hint = "it can be build, check, outline or targets"

    def __init__(self, call: str) -> None:
        super().__init__(f'cannot answer --call "{call}"')


@command("PATH | URL | -", of_project=False)
@argument("context", required=False, metavar="DIRECTORY")
@option(
    "--add-host", multiple=True, metavar="HOST:ADDRESS", help="Add a name to /etc/hosts of RUN."
)
@option("--allow", multiple=True, metavar="WHAT", help="Allow RUN more: network.host.")
@option("--annotation", multiple=True, metavar="NAME=VALUE", help="Annotate the manifest.")
@option("--attest", multiple=True, metavar="MODE", help="Without effect: nothing is attested.")
@option("--build-arg", multiple=True, metavar="NAME=VALUE", help="Set a build argument.")
@option("--build-context", multiple=True, metavar="NAME=PATH", help="Add a named context.")
@option("--builder", default="", metavar="NAME", help="Without effect: there is one builder.")
@option(
    "--cache-from",
    multiple=True,
    metavar="CACHE",
    help="Look for steps there, too: an image, or type=local,src=x.",
)
@option(
    "--cache-to", multiple=True, metavar="CACHE", help="Copy the steps there, as type=local,dest=x."
)
@option(
    "--call",
    default="build",
    metavar="WHAT",
    values=("build", "check", "outline", "targets"),
    help="build, check, outline or targets.",
)
@option("--cgroup-parent", default="", metavar="PATH", help="Without effect: that needs root.")
@flag("-D", "--debug", "debug", help="Show the programs that are run.")
@flag("--check", help="Check the Dockerfile instead of building.")
@option("-f", "--file", default="", metavar="FILE", help="Dockerfile, - for standard input.")
@option("--iidfile", default="", metavar="FILE", help="Write the id of the image to a file.")
@option("--label", multiple=True, metavar="NAME=VALUE", help="Set a label of the image.")
@flag("--load", help="Put the image into the store, beside other outputs.")
@option("-m", "--memory", default="", metavar="BYTES", help="Limit the memory of each RUN.")
@option("--metadata-file", default="", metavar="FILE", help="Write about the result to a file.")
@network_option("RUN")
@flag("--no-cache", help="Use nothing of earlier builds.")
@option("--no-cache-filter", multiple=True, metavar="STAGE", help="Run steps of a stage anew.")
@output_option()
@option("--platform", multiple=True, metavar="PLATFORM", help="Platform, such as linux/amd64.")
@option(
    "--progress",
    default="",
    metavar="MODE",
    values=PROGRESS_MODES,
    help="Progress: auto, plain, tty, quiet or rawjson.",
)
@option("--provenance", default="", metavar="MODE", help="Without effect: nothing is attested.")
@flag("--pull", help="Always ask for newer base images.")
@flag("--push", help="Push the image when it is built.")
@flag("-q", "--quiet", help="Print only the id of the image.")
@option("--sbom", default="", metavar="MODE", help="Without effect: nothing is attested.")
@flag("--proot", help="Run RUN under PRoot, which fakes users and owners.")
@option("--secret", multiple=True, metavar="SECRET", help="id=ID,src=FILE for `RUN --mount`.")
@option("--shm-size", default="", metavar="BYTES", help="Size of /dev/shm of RUN.")
@option("--ssh", multiple=True, metavar="ID=PATH", help="SSH agent or key for `RUN --mount`.")
@option(
    "-t", "--tag", multiple=True, metavar="NAME", help="Name of the image, with or without tag."
)
@option("--target", default="", metavar="STAGE", help="Stage of the Dockerfile to build.")
@option("--ulimit", multiple=True, metavar="LIMIT", help="NAME=SOFT[:HARD] for RUN.")
@flag("--shell-on-failure", help="Open a shell where a RUN fails, in the state before it.")
@flag("--squash")
@flag("--disable-content-trust", "--force-rm", "--rm", "_without_effect")
@flag("--compress")
@option("--cpu-period", default="")
@option("--cpu-quota", default="")
@option("-c", "--cpu-shares", default="")
@option("--cpuset-cpus", default="")
@option("--cpuset-mems", default="")
@option("--isolation", default="")
@option("--memory-swap", default="")
@option("--security-opt", multiple=True)
@step_options(listed=False)
def build(context: str | None, steps: tuple[tuple[str, str], ...], **values: Any) -> int:
    """Build an image from a Dockerfile, and print its id where `-q` is given.

    The context is a folder, the address of a git repository or archive, or `-`: a Dockerfile or an archive on
    standard input. The options of `cntnr image create`, such as `--from` and `--run`, are steps instead of a
    Dockerfile.

        cntnr build -t me/app .
        cntnr build --target test -o type=local,dest=out .
    """
    call = "check" if values.pop("check") else values.pop("call")
    values.pop("call", None)
    arguments, results = split_values(values)
    arguments.check()
    if steps:
        return build_steps(steps, context or ".", arguments, results)
    if context is None:
        raise ContextNeeded
    if call != "build":
        return _answer(call, context, arguments)
    return _build(context, arguments, results)


def _build(context: str, arguments: "BuildArguments", results: "ResultOptions") -> int:
    from cntnr_compose.cli.flows.image_build.contexts import create_build_request
    from cntnr_compose.cli.flows.image_build.flow import run_build

    def build_all(build: "Build") -> "BuildRequest":
        request = create_build_request(context, arguments)
        build(request)
        return request

    built = run_build(results, arguments.warnings(), build_all)
    if results.quiet and built.id:
        stdout.print_line(built.id)
    return 0


def split_values(values: dict[str, Any]) -> "tuple[BuildArguments, ResultOptions]":
    """Split the values of options into those of the image and those of what is told of it."""
    from cntnr_compose.cli.flows.image_build.arguments import BuildArguments
    from cntnr_compose.cli.flows.image_build.flow import ResultOptions

    values.pop("_without_effect")
    if values.pop("debug", False):
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(message)s")
    results = ResultOptions(**{name: values.pop(name) for name in RESULTS})
    ignored = tuple(name for name in IGNORED if values.pop(name, ""))
    return BuildArguments(**values, ignored=ignored), results


def build_steps(
    steps: tuple[tuple[str, str], ...],
    context: str,
    arguments: "BuildArguments",
    results: "ResultOptions",
) -> int:
    """Build an image by steps, and print its id."""
    from cntnr_compose.cli.flows.image_build.flow import run_build
    from cntnr_compose.cli.flows.image_build.ordered import OrderedBuild

    build = OrderedBuild(steps, context, arguments)
    built = run_build(results, arguments.warnings(), build.run)
    if built.id:
        stdout.print_line(built.id)
    return 0


def _answer(call: str, context: str, arguments: "BuildArguments") -> int:
    """Check the Dockerfile, or print its stages; build nothing."""
    from cntnr_compose.builder.check import check_dockerfile
    from cntnr_compose.cli.flows.image_build.check_report import print_reports, print_targets
    from cntnr_compose.cli.flows.image_build.contexts import create_build_request
    from cntnr_compose.cli.flows.image_build.outline import print_outline

    printing = {"outline": print_outline, "targets": print_targets}
    if call != "check" and call not in printing:
        raise CallUnsupported(call)
    request = create_build_request(context, arguments)
    if call == "check":
        return print_reports([check_dockerfile(request)])
    printing[call](request)
    return 0
