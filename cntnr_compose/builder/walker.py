"""A walk through the stages of one build: it knows what comes next, and leaves the doing to a kitchen.

The command walks first, with a kitchen that only looks whether everything is there; the builder walks
with one that makes what is missing. Both come to the same keys.
"""

import time
from typing import Protocol

from cntnr_compose.builder.dockerfile import instructions as build
from cntnr_compose.builder.dockerfile import parser as dockerfile
from cntnr_compose.builder.dockerfile import stages
from cntnr_compose.builder.dockerfile.instructions import State
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.stages import Stage
from cntnr_compose.builder.dockerfile.steps import Copy, Run, Work, final_key, key_of
from cntnr_compose.core.values import Bytes, Seconds, Value, field, replace, to_tree
from cntnr_compose.model.image import Image
from cntnr_compose.model.service import Ulimit


class Secret(Value, frozen=True, kw_only=True):
    """A secret that RUN may mount: a file of the user's, or a text."""

    id: str
    file: str = ""
    content: str | None = None
    uid: str = ""
    gid: str = ""
    mode: int | None = None


class Request(Value, frozen=True, kw_only=True):
    """Everything that one build needs to know."""

    service: str
    names: tuple[str, ...]  # full image names; the first is the service's image
    context: str
    file: str  # the Dockerfile's name for messages
    text: str
    ignore: tuple[str, ...] = ()
    target: str = ""
    platform: str = "linux/amd64"
    args: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)  # by the word in the Dockerfile
    contexts: dict[str, str] = field(default_factory=dict)  # name: folder
    downloads: dict[str, str] = field(default_factory=dict)  # URL: file
    secrets: tuple[Secret, ...] = ()
    network: str = "default"
    extra_hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shm_size: Bytes = 0
    ulimits: dict[str, Ulimit] = field(default_factory=dict)
    privileged: bool = False
    no_cache: bool = False


class Order(Value, frozen=True, kw_only=True):
    """What to build; requests of one order do not depend on each other."""

    requests: tuple[Request, ...]
    payload: int  # the holder's, by its name inside


class Made(Value, frozen=True, kw_only=True):
    """The result of a step: a folder of changes below the layers; '' where nothing changed.

    It fits on top of ``below`` only, which a rebuild without the cache makes anew under the same key.
    """

    folder: str = ""
    below: tuple[str, ...] = ()
    created: Seconds = 0


class History(Value, frozen=True, kw_only=True):
    """One line of an image's history."""

    text: str
    folder: str = ""
    created: Seconds = 0


class Point(Value, frozen=True, kw_only=True):
    """How far a stage is: what its files are called, where they lie, what its configuration says."""

    key: str
    state: State
    base: Image | None = None
    lower: tuple[str, ...] = ()  # the folders of this build's steps, top first
    history: tuple[History, ...] = ()


class Kitchen(Protocol):
    """What the walk asks for."""

    def content(self, work: Work, where: str, origins: dict[str, Point]) -> str:
        """Name the content of what ``work`` reads."""

    def make(
        self, key: str, work: Work, point: Point, where: str, origins: dict[str, Point]
    ) -> Made:
        """Have the result of a step, made or found."""

    def tell(self, title: str, text: str) -> None:
        """Say which instruction is carried out."""


class Walk:
    """One build on its way."""

    def __init__(self, request: Request, kitchen: Kitchen) -> None:
        self.request, self.kitchen = request, kitchen
        parsed = dockerfile.parse(request.text, request.file)
        self.scope = stages.scope(
            parsed, args=request.args, platform=request.platform, contexts=tuple(request.contexts)
        )
        self._ends: dict[int, Point] = {}

    def end(self) -> Point:
        """Go through the target and all it needs; labels of the build are put on."""
        found = self._end(self.scope.find(self.request.target))
        if not self.request.labels:
            return found
        config = found.state.config
        labels = {**(config.labels or {}), **self.request.labels}
        return replace(found, state=replace(found.state, config=replace(config, labels=labels)))

    def _end(self, stage: Stage) -> Point:
        if stage.index not in self._ends:
            self._ends[stage.index] = self._through(stage)
        return self._ends[stage.index]

    def _through(self, stage: Stage) -> Point:
        point, instructions = self._begin(stage)
        steps = sum(one.keyword in ("ADD", "COPY", "RUN", "WORKDIR") for one in instructions)
        number = 0
        for one in instructions:
            state, work = build.apply(point.state, one, stage, self.scope)
            point = replace(point, state=state)
            if work is None:
                point = _remembered(point, History(text=str(one)))
                continue
            number += 1
            point = self._step(point, one, work, f"{stage.title} {number}/{steps}")
        return point

    def _begin(self, stage: Stage) -> tuple[Point, tuple[Instruction, ...]]:
        if stage.base_stage >= 0:
            before = self._end(self.scope.stages[stage.base_stage])
            state = build.begin(None, before.state)
            return replace(before, state=state), stage.instructions
        if stage.base == "scratch":
            return Point(key="scratch", state=build.begin(None)), stage.instructions
        if stage.base in self.request.contexts:
            raise self.scope.fail(
                stage.line, f"cannot start from the context {stage.base}: not an image"
            )
        image = self.request.images[stage.base]
        ahead = build.triggers(image.config, self.scope, stage.line)
        point = Point(key=image.id, state=build.begin(image.config), base=image)
        return point, (*ahead, *stage.instructions)

    def _step(self, point: Point, one: Instruction, work: Work, title: str) -> Point:
        where = f"{self.scope.file}:{one.line}"
        if isinstance(work, Run):
            work = self._on_network(work, one)
        origins = self._origins(work)
        self.kitchen.tell(title, str(one))
        content = self.kitchen.content(work, where, origins)
        key = key_of(point.key, work, content)
        made = self.kitchen.make(key, work, point, where, origins)
        text = f"{one} # buildkit" if one.keyword != "RUN" else f"RUN {one.text} # buildkit"
        lower = (made.folder, *point.lower) if made.folder else point.lower
        point = replace(point, key=key, lower=lower)
        return _remembered(point, History(text=text, folder=made.folder, created=made.created))

    def _on_network(self, work: Run, one: Instruction) -> Run:
        """Say which network a RUN has. Raises `DockerfileInvalid` where it takes more than it was given."""
        if work.network == "default":
            return replace(work, network=self.request.network)
        if work.network == "host" and self.request.network != "host":
            why = "network.host is not allowed; `network: host` under `build:` of the service allows it"
            raise self.scope.fail(one.line, why)
        return work

    def _origins(self, work: Work) -> dict[str, Point]:
        """Have all stages that a step takes files from."""
        words = [work.origin] if isinstance(work, Copy) else []
        words += [mount.origin for mount in work.mounts] if isinstance(work, Run) else []
        found = {}
        for word in words:
            kind, _, name = word.partition(":")
            if kind == "stage":
                found[word] = self._end(self.scope.stages[int(name)])
            elif kind == "image":
                image = self.request.images[name]
                found[word] = Point(key=image.id, state=build.begin(image.config), base=image)
        return found


def _remembered(point: Point, line: History) -> Point:
    return replace(point, history=(*point.history, line))


def image_key(point: Point) -> str:
    """Name the image that a stage's end is."""
    texts = [line.text for line in point.history]
    return final_key(point.key, (to_tree(point.state.config), point.state.author, texts))


def now() -> Seconds:
    """Tell the time, in whole seconds, as images do."""
    return float(int(time.time()))
