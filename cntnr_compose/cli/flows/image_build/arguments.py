"""The options of `build`: check them, convert them to a definition of a build and its outputs."""

import os
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.create_request import BuildDefinition, create_request
from cntnr_compose.builder.request import BuildOptions, BuildOutput, BuildRequest
from cntnr_compose.cli.flows.image_build import flag_values
from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.values import replace
from cntnr_compose.model.service import Build, FileMount

UNNAMED = "image"  # an image without a name, in messages
NO_ATTESTATION = ("", "false", "disabled=true")
HOST_NETWORK, INSECURE = "network.host", "security.insecure"
DEFAULT_FILE, OTHER_FILE = "Dockerfile", "dockerfile"


class SquashRemoved(CntnrError):
    """`--squash` is a flag of the builder before BuildKit."""

    hint = "a last stage that copies the result of the others has one layer, too"

    def __init__(self) -> None:
        super().__init__("--squash: BuildKit has it no more")


class InsecureRefused(CntnrError):
    """A build asks for privileges that nobody here can give."""

    hint = "leave it away; programs of RUN are root in a user namespace of their own anyway"

    def __init__(self, word: str) -> None:
        super().__init__(f"--allow {word} is refused: without root there is nothing to allow")


class TagNeeded(CntnrError):
    """An image without a name cannot be pushed."""

    hint = "name it with --tag"

    def __init__(self) -> None:
        super().__init__("tag is needed when pushing to registry")


class BuildArguments(Frozen):
    """The options of `build` that define the image, and where it goes."""

    add_host: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    annotation: tuple[str, ...] = ()
    attest: tuple[str, ...] = ()
    build_arg: tuple[str, ...] = ()
    build_context: tuple[str, ...] = ()
    builder: str = ""
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    cgroup_parent: str = ""
    file: str = ""
    label: tuple[str, ...] = ()
    load: bool = False
    memory: str = ""
    network: str = "default"
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    proot: bool = False
    provenance: str = ""
    pull: bool = False
    push: bool = False
    sbom: str = ""
    secret: tuple[str, ...] = ()
    shm_size: str = ""
    squash: bool = False
    ssh: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    target: str = ""
    ulimit: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()  # names of options of the builder before BuildKit

    def check(self) -> None:
        """Raise `SquashRemoved`, `InsecureRefused`, `TagNeeded`, `BadOption`."""
        if self.squash:
            raise SquashRemoved
        for word in flag_values.split_commas(self.allow):
            if word.startswith((INSECURE, "device")):
                raise InsecureRefused(word)
            if word != HOST_NETWORK:
                raise BadOption("--allow", word, "the only entitlement here is network.host")
        if self.push and not self.tag:
            raise TagNeeded

    def warnings(self) -> Iterator[str]:
        """Tell which options are not honoured, and why."""
        if self.builder not in ("", "default"):
            yield f"--builder {self.builder} has no effect: there is one builder here"
        if self.attest or self.provenance not in NO_ATTESTATION or self.sbom not in NO_ATTESTATION:
            yield "--attest, --provenance and --sbom have no effect: no attestations are made"
        if self.cgroup_parent:
            yield "--cgroup-parent has no effect: only root may put programs into a control group"
        for name in self.ignored:
            yield f"--{name.replace('_', '-')} has no effect: BuildKit ignores it, too"

    def outputs(self) -> tuple[BuildOutput, ...]:
        """Return where the result goes; nothing means the store. Raises `OutputInvalid`."""
        words = [*self.output]
        words += ["type=registry"] if self.push else []
        words += ["type=docker"] if self.load else []
        if not words:
            return ()
        from cntnr_compose.builder.outputs import parse_output  # and all that writes outputs

        return tuple(parse_output(word) for word in words)

    def options(self) -> BuildOptions:
        """Return the options of the builder. Raises `BadOption`."""
        return BuildOptions(
            no_cache=self.no_cache,
            no_cache_stages=flag_values.split_commas(self.no_cache_filter),
            pull=self.pull,
            ssh=self.ssh,
            memory=flag_values.parse_bytes("memory", self.memory),
        )

    def definition(self, context: str, inline: str = "") -> BuildDefinition:
        """Return what is built, of a context; ``inline`` is the text of a Dockerfile.

        Raises `BadOption`.
        """
        environment = flag_values.current_environment()
        secrets = flag_values.parse_secrets(self.secret, environment)
        build = Build(
            context=context,
            dockerfile="" if inline else find_dockerfile(context, self.file),
            dockerfile_inline=inline,
            args=flag_values.parse_arguments(self.build_arg),
            target=self.target,
            network=self.network if self.network != "bridge" else "default",
            entitlements=flag_values.split_commas(self.allow),
            extra_hosts=flag_values.parse_hosts(self.add_host),
            cache_from=self.cache_from,
            cache_to=self.cache_to,
            additional_contexts=flag_values.parse_contexts(self.build_context),
            secrets=tuple(FileMount(source=key) for key in secrets),
            platforms=flag_values.split_commas(self.platform),
            shm_size=flag_values.parse_bytes("shm-size", self.shm_size),
            ulimits=flag_values.parse_ulimits(self.ulimit),
        )
        return BuildDefinition(
            name=self.tag[0] if self.tag else UNNAMED,
            build=build,
            names=self.tag,
            working_dir=os.getcwd(),  # noqa: PTH109 - as text
            environment=environment,
            secrets=secrets,
            labels=flag_values.parse_labels(self.label),
            proot=self.proot or None,
        )

    def request(self, context: str, inline: str = "", name: str = DEFAULT_FILE) -> BuildRequest:
        """Read what the build needs; ``name`` is that of the Dockerfile in messages.

        Raises `CannotBuild` and what reading the options raises.
        """
        request = create_request(self.definition(context, inline), self.options())
        return replace(
            request,
            file=name,
            outputs=self.outputs(),
            annotations=flag_values.parse_annotations(self.annotation),
            title=request.title if self.tag else "",
        )


def find_dockerfile(context: str, file: str) -> str:
    """Return the path of a Dockerfile: relative to here; in a context that is no folder, to the context."""
    folder = Path(context).expanduser()
    if not folder.is_dir():
        return file
    if file:
        return str(Path(file).expanduser().absolute())
    has_other = not (folder / DEFAULT_FILE).exists() and (folder / OTHER_FILE).exists()
    return OTHER_FILE if has_other else ""
