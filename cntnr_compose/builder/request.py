"""The values of a build: what is asked for, and everything that one build depends on."""

from typing import NamedTuple

from cntnr_compose.builder.dockerfile.parser import (
    Dockerfile,
    DockerfileInvalid,
    Instruction,
    parse_dockerfile,
)
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, split_stages
from cntnr_compose.builder.sources.file_digests import DigestCaches
from cntnr_compose.builder.sources.ssh_sources import SshSource
from cntnr_compose.core.values import Bytes, Seconds, Value, field
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import Descriptor
from cntnr_compose.model.service import Ulimit

IMAGE_OUTPUTS = ("image", "registry", "docker", "oci")


class BuildSecret(Value, frozen=True, kw_only=True):
    """A secret that RUN may mount: a file, or a text."""

    id: str
    file: str = ""
    content: str | None = None
    uid: str = ""
    gid: str = ""
    mode: int | None = None


class BuildOptions(Value, frozen=True, kw_only=True):
    """Options of one build beside those in the file, over which they win."""

    args: dict[str, str] = field(default_factory=dict)
    no_cache: bool = False
    no_cache_stages: tuple[str, ...] = ()
    pull: bool = False
    ssh: tuple[str, ...] = ()
    memory: Bytes = 0  # of the programs of RUN; 0: without limit


class BuildOutput(Value, frozen=True, kw_only=True):
    """Where the result of a build goes; without any, an image goes into the store."""

    type: str  # image, registry, docker, oci, local, tar, cacheonly
    dest: str = ""  # a folder or file; "-" is standard output
    names: tuple[str, ...] = ()  # of the image, beside those of the build
    push: bool = False
    is_folder: bool = False  # an OCI layout that is a folder, not an archive
    compression: str = ""  # of layers: gzip, zstd, uncompressed


class FileExport(Value, frozen=True, kw_only=True):
    """Files of a stage that the worker writes, to a descriptor that the command has opened."""

    type: str  # local: into a folder; tar
    descriptor: int


class CacheTarget(Value, frozen=True, kw_only=True):
    """Where the results of the steps of a build are copied to, for builds on other machines."""

    text: str  # as it was given
    ref: str  # of a registry or a layout, as skopeo knows it
    takes_all: bool = False  # steps of all stages, not only of those that the image has
    may_fail: bool = False


class ImportedStep(Value, frozen=True, kw_only=True):
    """The result of a step that was found in such a place; without a layer where nothing changed."""

    layer: Descriptor | None = None
    diff_id: str = ""
    created: Seconds = 0


class BuiltImage(Value, frozen=True, kw_only=True):
    """An image that a build assembled; without a manifest where none was asked for."""

    manifest: Descriptor | None = None
    id: str = ""
    cache: Descriptor | None = None  # the manifest of what goes to `BuildRequest.cache_to`


class BuildRequest(Value, frozen=True, kw_only=True):
    """Everything that one build depends on."""

    service: str
    title: str = ""  # what the progress calls its image
    names: tuple[str, ...]  # full image names; the first is the service's image
    context: str
    file: str  # the Dockerfile's name for messages
    text: str
    instructions: tuple[Instruction, ...] = ()  # instead of a text
    ignore: tuple[str, ...] = ()
    target: str = ""
    platform: str = "linux/amd64"
    args: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)  # by the word in the Dockerfile
    contexts: dict[str, str] = field(default_factory=dict)  # name: folder
    context_images: dict[str, str] = field(default_factory=dict)  # name: reference
    downloads: dict[str, str] = field(default_factory=dict)  # URL: file
    secrets: tuple[BuildSecret, ...] = ()
    ssh: tuple[SshSource, ...] = ()
    network: str = "default"
    extra_hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shm_size: Bytes = 0
    memory: Bytes = 0
    ulimits: dict[str, Ulimit] = field(default_factory=dict)
    privileged: bool = False
    proot: bool = False  # RUN is under PRoot
    no_cache: bool = False
    no_cache_stages: tuple[str, ...] = ()  # those whose steps run anew
    pull: bool = False  # ask the registries for newer base images
    entitlements: tuple[str, ...] = ()  # such as network.host
    annotations: dict[str, str] = field(default_factory=dict)  # of the manifest
    cache_from: tuple[str, ...] = ()  # as skopeo knows them
    cache_to: tuple[CacheTarget, ...] = ()
    has_inline_cache: bool = False  # the image tells the keys of its steps
    imported: dict[str, ImportedStep] = field(default_factory=dict)  # by key
    notes: tuple[str, ...] = ()  # what the user is to be told of
    epoch: int | None = None  # SOURCE_DATE_EPOCH: no time in the image is later
    outputs: tuple[BuildOutput, ...] = ()
    exports: tuple[FileExport, ...] = ()  # of the outputs, those of files

    @property
    def variant(self) -> str:
        """Return what tells images apart that have the same steps and settings."""
        return "-inline" if self.has_inline_cache else ""

    @property
    def needs_image(self) -> bool:
        """Return whether an image has to be made, not only files written."""
        return not self.outputs or any(output.type in IMAGE_OUTPUTS for output in self.outputs)

    @property
    def is_tagged(self) -> bool:
        """Return whether the image gets its names in the store; an archive alone gives it none."""
        return not self.outputs or any(
            output.type in IMAGE_OUTPUTS and not output.dest for output in self.outputs
        )


class BuildJob(NamedTuple):
    """What a worker builds; its requests do not depend on each other."""

    requests: tuple[BuildRequest, ...]
    caches: DigestCaches  # of the files that the command has read already
    terminal: int = -1  # descriptor of the terminal for a shell where a RUN fails; -1: no shell

    @property
    def descriptors(self) -> list[int]:
        """Return the descriptors of the command that the worker needs."""
        exports = [export.descriptor for request in self.requests for export in request.exports]
        return exports if self.terminal < 0 else [*exports, self.terminal]


def parse_stages(request: BuildRequest) -> DockerfileScope:
    """Parse the Dockerfile of a build. Raises `DockerfileInvalid`."""
    try:
        if request.instructions:
            dockerfile = Dockerfile(name=request.file, instructions=request.instructions)
        else:
            dockerfile = parse_dockerfile(request.text, request.file)
        return split_stages(
            dockerfile,
            args=request.args,
            platform=request.platform,
            target=request.target,
            contexts=tuple(request.contexts),
        )
    except DockerfileInvalid as error:
        raise error.with_excerpt(request.text) from None
