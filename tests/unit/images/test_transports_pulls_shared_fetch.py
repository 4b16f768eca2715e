"""Layers that are fetched once, and how far they are."""

import threading
from pathlib import Path

import pytest

from cntnr_compose.images.errors import LayerCorrupt
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.pulls import shared_fetch
from cntnr_compose.images.transports.pulls.remote_image import RemoteManifest, read_remote_manifest
from cntnr_compose.images.transports.pulls.shared_fetch import SharedFetch
from cntnr_compose.model.oci import Descriptor


def layer(letter: str, size: int = 10) -> Descriptor:
    return Descriptor(media_type="layer", digest=f"sha256:{letter * 64}", size=size)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setattr(shared_fetch, "LOOK_INTERVAL", 0.005)
    monkeypatch.setattr(skopeo, "_stopped", threading.Event())
    store = ImageStore(tmp_path / "images")
    store.create_layout()
    return store


def arrive(store: ImageStore, descriptor: Descriptor) -> None:
    store.own_blob_path(descriptor.digest).write_bytes(b"x" * descriptor.size)


def held(store: ImageStore) -> list[str]:
    return sorted(path.name[7:8] for path in store.root.glob("fetching/*"))


def test_only_missing_layers_count(store: ImageStore, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    arrive(store, layer("a"))
    fetch = SharedFetch(
        store,
        [layer("a"), layer("b", 30)],
        tmp_path / "layout",
        lambda *numbers: told.append(numbers),
    )
    with fetch.fetching():
        assert held(store) == ["b"]
        (tmp_path / "layout").mkdir()
        (tmp_path / "layout/oci-put-blob7").write_bytes(b"x" * 12)
        for _ in range(500):
            if told and told[-1][0] == 12:
                break
            threading.Event().wait(0.01)
        (tmp_path / "layout/oci-put-blob7").rename(store.own_blob_path(layer("b").digest))
        arrive(store, layer("b", 30))
    assert told[-1] == (30, 30)
    assert told == sorted(set(told))
    assert held(store) == []


def test_one_waits_for_what_another_one_fetches(store: ImageStore, tmp_path: Path) -> None:
    first = SharedFetch(store, [layer("a"), layer("b")], tmp_path, lambda *_: None)
    second = SharedFetch(store, [layer("b"), layer("c")], tmp_path, lambda *_: None)
    begun = threading.Event()

    def wait() -> None:
        with second.fetching():
            begun.set()

    with first.fetching():
        thread = threading.Thread(target=wait)
        thread.start()
        assert not begun.wait(0.05)
        arrive(store, layer("b"))  # while "a" is still under way
        assert begun.wait(5)
        assert "a" in held(store)
    thread.join(5)
    assert held(store) == []


def test_one_takes_over_from_another_one_that_fails(store: ImageStore, tmp_path: Path) -> None:
    first = SharedFetch(store, [layer("a")], tmp_path, lambda *_: None)
    second = SharedFetch(store, [layer("a")], tmp_path, lambda *_: None)
    begun = threading.Event()

    def wait() -> None:
        with second.fetching():
            begun.set()

    thread = threading.Thread(target=wait)

    def fail() -> None:
        with first.fetching():
            thread.start()
            assert not begun.wait(0.05)
            raise LayerCorrupt("x")

    with pytest.raises(LayerCorrupt):
        fail()
    assert begun.wait(5)
    thread.join(5)


def test_who_is_stopped_does_not_wait(store: ImageStore, tmp_path: Path) -> None:
    second = SharedFetch(store, [layer("a")], tmp_path, lambda *_: None)
    with SharedFetch(store, [layer("a")], tmp_path, lambda *_: None).fetching():
        skopeo.stop_all()
        with second.fetching():
            pass


def test_locks_of_the_dead_go(store: ImageStore, tmp_path: Path) -> None:
    (store.root / "fetching").mkdir()
    (store.root / "fetching/sha256-dead").touch()
    with SharedFetch(store, [], tmp_path, lambda *_: None).fetching():
        assert held(store) == []


def described(letter: str, machine: str) -> str:
    platform = f'{{"os": "linux", "architecture": "{machine}"}}'
    digest = f"sha256:{letter * 64}"
    return f'{{"mediaType": "m", "digest": "{digest}", "size": 1, "platform": {platform}}}'


ARM, AMD = described("a", "arm64"), described("b", "amd64")


def test_an_index_leads_to_the_manifest_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(ref: str) -> bytes:
        asked.append(ref)
        if "@" in ref:
            text = '{"mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [%s]}'
            return (text % AMD).encode()
        return f'{{"manifests": [{ARM}, {AMD}]}}'.encode()

    monkeypatch.setattr(skopeo, "read_manifest", answer)
    manifest = read_remote_manifest("host.io/me/app:1", "linux/amd64")
    assert asked == ["host.io/me/app:1", f"host.io/me/app@sha256:{'b' * 64}"]
    assert (len(manifest.layers), manifest.is_oci) == (1, True)
    assert read_remote_manifest("host.io/me/app:1", "linux/riscv64") == RemoteManifest()


@pytest.mark.parametrize(
    "text",
    [b"no json", b'{"layers": 7}', b'{"layers": [{"mediaType": "m", "digest": "sha256:../../x", "size": 1}]}',
     b'{"layers": [{"mediaType": "m", "digest": "sha256:%s", "size": -1}]}' % (b"a" * 64), b"[]"],
)  # fmt: skip
def test_manifests_that_make_no_sense_are_left_to_skopeo(
    monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    monkeypatch.setattr(skopeo, "read_manifest", lambda _: text)
    assert read_remote_manifest("host.io/me/app:1", "") == RemoteManifest()
