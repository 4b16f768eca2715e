"""Build an image by steps that are options of the command line, in their order."""

from pathlib import Path
from typing import NamedTuple

from cntnr_compose.builder.dockerfile.flag_steps import SOURCE_NAME, to_instructions
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.cli.flows.image_build.arguments import BuildArguments
from cntnr_compose.cli.flows.image_build.flow import Build
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace

BASES = ("from", "dockerfile")
NO_BASE = "there is nothing to start from"
PLACEHOLDER = "FROM scratch"  # while a request is made that has instructions instead of a text


class StepsUnclear(CntnrError):
    """The steps do not make an image."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class BaseReference(NamedTuple):
    """What the steps start from: an image, or a Dockerfile that is built before."""

    image: str = ""
    dockerfile: str = ""


def split_base(
    steps: tuple[tuple[str, str], ...],
) -> tuple[BaseReference, tuple[tuple[str, str], ...]]:
    """Split the first step, which says what the image starts from, from the others. Raises `StepsUnclear`."""
    first, *rest = steps
    if first[0] not in BASES:
        raise StepsUnclear(NO_BASE, "begin with --from IMAGE, --from scratch or --dockerfile FILE")
    for option, _ in rest:
        if option in BASES:
            why = f"--{option} after other steps would throw them away"
            hint = "one --from or --dockerfile comes first; a Dockerfile can have several stages"
            raise StepsUnclear(why, hint)
    is_image = first[0] == "from"
    base = BaseReference(image=first[1]) if is_image else BaseReference(dockerfile=first[1])
    return base, tuple(rest)


class OrderedBuild:
    """A build by steps: first of the Dockerfile that it may start from."""

    def __init__(
        self, steps: tuple[tuple[str, str], ...], context: str, arguments: BuildArguments
    ) -> None:
        """Take the steps. Raises `StepsUnclear`, `StepInvalid`."""
        self.base, self.rest = split_base(steps)
        self.context, self.arguments = context, arguments
        if not self.base.dockerfile and (arguments.build_arg or arguments.target):
            why = f"{'--target' if arguments.target else '--build-arg'} is for a Dockerfile"
            raise StepsUnclear(why, "begin with --dockerfile FILE")
        to_instructions(
            (("from", "scratch"), *self.rest)
        )  # mistakes are told before anything is built

    def run(self, build: Build) -> BuildRequest:
        """Build the Dockerfile, then the steps; return the request of the image."""
        if not self.base.dockerfile:
            return self._build_steps(build, self.arguments, self.base.image)
        request = self._dockerfile_request()
        image = build(request)
        if not self.rest:
            return request
        own = self.arguments.replace(build_arg=(), target="", pull=False)
        return self._build_steps(build, own, image.id)

    def _dockerfile_request(self) -> BuildRequest:
        """Create the request of the Dockerfile; its image has the names where no other steps follow."""
        path, folder = Path(self.base.dockerfile).expanduser(), Path(self.context).expanduser()
        own = self.arguments.replace(file=str(folder / path if folder.is_dir() else path))
        if self.rest:
            own = own.replace(tag=(), label=(), output=(), push=False, load=False)
        return own.request(self.context, name=self.base.dockerfile)

    def _build_steps(self, build: Build, own: BuildArguments, image: str) -> BuildRequest:
        request = own.request(self.context, inline=PLACEHOLDER, name=SOURCE_NAME)
        instructions = to_instructions((("from", image), *self.rest))
        request = replace(request, text="", instructions=instructions)
        build(request)
        return request
