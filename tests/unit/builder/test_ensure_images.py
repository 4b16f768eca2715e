"""Every service has an image, or an error says why not."""

import signal
import threading
import time
from pathlib import Path

import pytest

from cntnr_compose.builder import ensure_images, project_build
from cntnr_compose.core.events import Event, Progress
from cntnr_compose.images.errors import ImageNotFound, NoSuchImage
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo, transfer
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Mount, Service
from tests.unit.images.test_store import add

Log = list[str]


class World:
    """Stand in for a registry with some names and a builder that builds everything; hold a store."""

    def __init__(self) -> None:
        self.log: Log = []
        self.registry: set[str] = set()
        self.store = ImageStore()

    def has(self, *names: str) -> None:
        for name in names:
            add(self.store, image_name.normalize(name), name)

    def pull(self, ref: str, **_: object) -> Image:
        self.log.append(f"pull {ref}")
        if ref not in self.registry:
            raise ImageNotFound(image_name.normalize(ref))
        return add(self.store, image_name.normalize(ref), f"pulled {ref}")

    def build(self, project: Project, services: tuple[str, ...], **_: object) -> dict[str, str]:
        self.log.append(f"build {' '.join(services)}")
        return {name: f"built {name}" for name in services}

    def provide(self, *services: Service, **more: object) -> dict[str, str]:
        project = Project(name="p", working_dir="/p", services={one.name: one for one in services})
        self.events: list[Event] = []
        return ensure_images.ensure_images(project, emit=self.events.append, **more)  # type: ignore[arg-type]

    def statuses(self) -> list[tuple[str, str]]:
        return [(one.name, one.status) for one in self.events if isinstance(one, Progress)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    world = World()
    monkeypatch.setattr(transfer, "pull_image", world.pull)
    monkeypatch.setattr(project_build, "build_services", world.build)
    return world


def image(name: str, ref: str, **more: object) -> Service:
    return Service(name=name, image=ref, **more)  # type: ignore[arg-type]


def built(name: str, ref: str = "", **more: object) -> Service:
    return Service(name=name, image=ref, build=Build(), **more)  # type: ignore[arg-type]


def test_what_is_here_is_taken_as_it_is(world: World) -> None:
    world.has("redis:7", "p-web")
    ids = world.provide(image("db", "redis:7"), built("web"))
    assert list(ids) == ["redis:7", "p-web"]
    assert (world.log, world.events) == ([], [])


def test_what_is_missing_is_pulled_or_built_once(world: World) -> None:
    world.registry = {"redis:7"}
    ids = world.provide(image("a", "redis:7"), image("b", "redis:7"), built("web"), built("x"))
    assert world.log == ["pull redis:7", "build web x"]
    assert ids["p-web"] == "built web"
    assert world.statuses() == [("redis:7", "Pulling"), ("redis:7", "Pulled")]


def test_an_image_that_can_be_built_is_asked_for_in_the_registry_first(world: World) -> None:
    assert world.provide(built("web", "me/web")) == {"me/web": "built web"}
    assert world.log == ["pull me/web", "build web"]
    assert world.statuses()[1] == ("me/web", "Warning")


def test_a_service_may_use_what_another_one_builds(world: World) -> None:
    ids = world.provide(image("user", "me/web"), built("web", "me/web"))
    assert ids == {"me/web": "built web"}
    assert world.log == ["pull me/web", "build web"]


def test_build_builds_what_can_be_built_and_pulls_nothing_of_it(world: World) -> None:
    world.has("me/web", "redis:7")
    world.provide(built("web", "me/web"), image("db", "redis:7"), build=True)
    assert world.log == ["build web"]


def test_no_build_leaves_the_registry(world: World) -> None:
    with pytest.raises(NoSuchImage, match="no such image: p-web"):
        world.provide(built("web"), no_build=True)
    with pytest.raises(ImageNotFound):
        world.provide(built("web", "me/web"), no_build=True)


def test_policies_decide(world: World) -> None:
    world.has("a:1", "b:1", "c:1")
    world.registry = {"a:1"}
    world.provide(
        image("a", "a:1", pull_policy="always"), image("b", "b:1", pull_policy="never"),
        built("c", "c:1", pull_policy="build"),
    )  # fmt: skip
    assert world.log == ["pull a:1", "build c"]


def test_an_old_image_is_pulled_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.has("a:1")
    world.registry = {"a:1"}
    world.provide(image("a", "a:1", pull_policy="daily"))
    assert world.log == []
    (stored,) = world.store.list()
    monkeypatch.setattr("time.time", lambda: stored.tagged + 90_000)
    world.provide(image("a", "a:1", pull_policy="daily"))
    assert world.log == ["pull a:1"]


def test_the_option_wins_over_the_services(world: World) -> None:
    world.has("a:1")
    with pytest.raises(NoSuchImage):
        world.provide(image("a", "a:1"), image("b", "b:1", pull_policy="always"), pull="never")
    assert world.log == []


def test_the_first_failure_is_told_when_all_have_ended(world: World) -> None:
    world.registry = {"good:1"}
    with pytest.raises(ImageNotFound) as caught:
        world.provide(image("a", "bad:1"), image("b", "good:1"))
    assert caught.value.ref == "docker.io/library/bad:1"
    assert sorted(world.statuses()) == [
        ("bad:1", "Error"), ("bad:1", "Pulling"), ("good:1", "Pulled"), ("good:1", "Pulling"),
    ]  # fmt: skip
    assert world.store.find("good:1") is not None


def test_images_that_are_mounted_are_needed_too(world: World) -> None:
    world.has("a:1")
    world.registry = {"data:1"}
    mount = Mount(type="image", target="/data", source="data:1")
    assert set(world.provide(image("a", "a:1", volumes=(mount,)))) == {"a:1", "data:1"}


def test_a_ctrl_c_that_wakes_nobody_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_to_stop = threading.Event()
    in_time: list[bool] = []
    monkeypatch.setattr(skopeo, "stop_all", told_to_stop.set)

    def pull(ref: str, **_: object) -> Image:
        time.sleep(0.3)  # until the main thread waits
        # Another one takes the signal, so that nothing wakes it: as where it comes just before the wait.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        in_time.append(told_to_stop.wait(3))
        raise ImageNotFound(ref)

    monkeypatch.setattr(transfer, "pull_image", pull)
    with pytest.raises(KeyboardInterrupt):
        world.provide(image("a", "a:1"))
    assert in_time == [True]
