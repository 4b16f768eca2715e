"""Steps of a build that change files, and their cache keys."""

import hashlib
from typing import TypeAlias

from cntnr_compose.builder.dockerfile.values.git_url import GitSource
from cntnr_compose.core.values import Bytes, Value, to_json

# Part of every key: raise it where steps are carried out differently, so that no old result is used.
CACHE_GENERATION = 1
COPY_GENERATION = 2  # of COPY and ADD


class InlineFile(Value, frozen=True, kw_only=True):
    """A file whose content is a heredoc of the Dockerfile."""

    name: str
    content: str


class CopyStep(Value, frozen=True, kw_only=True, tag="copy"):
    """Copy files into the image.

    ``origin`` is empty for the build context, else ``stage:NUMBER``, ``image:REF`` or ``context:NAME``.
    A ``target`` that ends in a slash is a folder. With ``parents`` a source is ``FOLDER/./PATTERN``: what
    fits the pattern is copied with the folders that it is in.
    """

    sources: tuple[str, ...]
    target: str
    origin: str = ""
    chown: str = ""
    chmod: str = ""
    exclude: tuple[str, ...] = ()
    texts: tuple[InlineFile, ...] = ()
    urls: tuple[str, ...] = ()
    checksum: str = ""
    extract: bool = False  # archives of the context are unpacked
    extract_urls: bool = False  # downloaded ones, too
    git: tuple[GitSource, ...] = ()
    link: bool = False  # a layer of its own, whatever lies below it
    parents: bool = False

    @property
    def is_independent(self) -> bool:
        """Return whether its layer is the same upon whatever stage."""
        names = [name for name in self.chown.split(":") if name]
        return self.link and all(name.isascii() and name.isdecimal() for name in names)


class RunMount(Value, frozen=True, kw_only=True):
    """One ``--mount`` of a RUN; ``origin`` as in `CopyStep`."""

    type: str  # bind, cache, secret, ssh, tmpfs
    target: str
    source: str = ""
    origin: str = ""
    read_only: bool = False
    id: str = ""
    env: str = ""
    required: bool = False
    sharing: str = "shared"  # shared, private, locked
    mode: int = -1  # -1: not given
    uid: int = 0
    gid: int = 0
    size: Bytes = 0


class RunStep(Value, frozen=True, kw_only=True, tag="run"):
    """Run a program; ``script`` is one with a #! line of its own, which is written to a file."""

    argv: tuple[str, ...]
    env: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = "/"
    mounts: tuple[RunMount, ...] = ()
    network: str = "default"  # default, none, host
    script: str = ""


class FolderStep(Value, frozen=True, kw_only=True, tag="folder"):
    """Create a folder where there is none."""

    path: str
    user: str = ""


BuildStep: TypeAlias = CopyStep | RunStep | FolderStep


def step_key(parent: str, step: BuildStep, content: str) -> str:
    """Compute the cache key of a step on top of ``parent``; ``content`` is the digest of what it reads."""
    generation = COPY_GENERATION if isinstance(step, CopyStep) else CACHE_GENERATION
    parts = (generation, parent, step, content)
    return short_hash(to_json(parts))


def final_image_key(parent: str, config: object) -> str:
    """Compute the cache key of an image from the key of its last step and its configuration."""
    return short_hash(to_json((CACHE_GENERATION, parent, config)))


def short_hash(content: bytes) -> str:
    """Shorten a text to a name for the caches of builds."""
    return hashlib.sha256(content).hexdigest()[:24]
