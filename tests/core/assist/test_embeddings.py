"""Embeddings on disk: found again, bounded, and never worth an annotation."""

import os
from pathlib import Path

import numpy as np
import pytest

from fake_assistant import FakeBackend
from maskwright.assist.embeddings import EmbeddingStore, file_identity
from maskwright.assist.features import CHEAP_BYTES, FeatureCache, FeatureKey
from maskwright.assist.protocol import WindowFeatures
from maskwright.assist.view import BackendAssistant
from maskwright.assist.window import Window

WINDOW = Window(0, 0, 40, 30)
KEY = FeatureKey("a" * 64, "image-1", WINDOW)


def features(value: float = 1.5, count: int = 100) -> WindowFeatures:
    return WindowFeatures(
        WINDOW, {"embedding": np.full((2, count), value, np.float32), "fine": np.ones((1, 3), np.float32)}
    )


def key(number: int) -> FeatureKey:
    return FeatureKey("a" * 64, f"image-{number}", WINDOW)


def newest_file(folder: Path) -> Path:
    return max(folder.rglob("*.embedding"), key=lambda path: path.stat().st_mtime_ns)


def only_file(folder: Path) -> Path:
    (found,) = folder.rglob("*.embedding")
    return found


def test_what_was_put_is_found_by_a_new_process(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path).put(KEY, features())
    found = EmbeddingStore(tmp_path).get(KEY)
    assert found is not None
    assert {name: array.dtype for name, array in found.arrays.items()} == {"embedding": "f4", "fine": "f4"}
    assert np.array_equal(found.arrays["embedding"], features().arrays["embedding"])


@pytest.mark.parametrize(
    "other",
    [
        FeatureKey("b" * 64, "image-1", WINDOW),
        FeatureKey("a" * 64, "image-2", WINDOW),
        FeatureKey("a" * 64, "image-1", Window(0, 0, 40, 31)),
        FeatureKey("a" * 16 + "c" * 48, "image-1", WINDOW),
    ],
    ids=["network", "image", "window", "network that begins alike"],
)
def test_nothing_is_found_for_another(other: FeatureKey, tmp_path: Path) -> None:
    EmbeddingStore(tmp_path).put(KEY, features())
    assert EmbeddingStore(tmp_path).get(other) is None


def test_an_entry_takes_two_bytes_a_number(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path).put(KEY, features(count=100_000))
    assert only_file(tmp_path).stat().st_size < 400_000 + 1000


@pytest.mark.parametrize("length", [0, 5, 20, 150, 400], ids=str)
def test_half_an_entry_is_dropped(length: int, tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.put(KEY, features())
    place = only_file(tmp_path)
    place.write_bytes(place.read_bytes()[:length])
    assert store.get(KEY) is None
    assert not place.exists()


def test_one_wrong_bit_is_noticed(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.put(KEY, features())
    place = only_file(tmp_path)
    content = bytearray(place.read_bytes())
    content[-3] ^= 1
    place.write_bytes(content)
    assert store.get(KEY) is None


def test_it_stays_below_its_bytes_and_drops_what_was_not_used_for_longest(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, max_bytes=6000)
    for number in range(10):
        store.put(key(number), features())
        os.utime(newest_file(tmp_path), ns=(number * 10**9, number * 10**9))
    store.get(key(5))  # used now
    for number in range(10, 16):
        store.put(key(number), features())
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.embedding")) == store.used_bytes <= 6000
    assert store.get(key(5)) is not None
    assert store.get(key(6)) is None


def test_a_nearly_full_disk_is_left_alone(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path, reserve_bytes=2**62).put(KEY, features())
    assert not list(tmp_path.rglob("*.*"))


def test_what_a_crash_left_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "aaaaaaaaaaaaaaaa"
    folder.mkdir()
    (folder / "x.12-3.part").write_bytes(b"half")
    EmbeddingStore(tmp_path).put(KEY, features())
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_made_again_at_once_takes_little_memory() -> None:
    cache = FeatureCache()
    for number in range(300):
        cache.put(key(number), WindowFeatures(WINDOW, {"pixels": np.zeros(2**18, np.uint8)}), keeps=False)
    assert 0 < cache.used_bytes <= CHEAP_BYTES
    assert cache.get(key(299)) is not None
    cache.put(key(1000), WindowFeatures(WINDOW, {"embedding": np.zeros(2**25, np.uint8)}), keeps=True)
    assert cache.get(key(1000)) is not None


def test_numbers_too_large_for_sixteen_bits_are_not_kept(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path).put(KEY, features(1e6))
    assert EmbeddingStore(tmp_path).get(KEY) is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = EmbeddingStore(tmp_path / "file" / "folder")
    store.put(KEY, features())
    assert store.get(KEY) is None


def test_pages_of_one_file_are_images_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    path.write_bytes(b"anything")
    pages = {file_identity(tmp_path / name) for name in ("stack.tif", "stack#page=2.tif", "stack#page=3.tif")}
    assert None not in pages
    assert len(pages) == 3
    assert file_identity(tmp_path / "gone.tif") is None


def test_an_assistant_of_a_new_process_encodes_nothing_again(tmp_path: Path) -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    backends = [FakeBackend(), FakeBackend()]
    for backend in backends:
        cache = FeatureCache(store=EmbeddingStore(tmp_path))
        BackendAssistant(backend, cache).open(image, identity="one").outline([(5, 5)])
    assert [len(backend.prepared) for backend in backends] == [1, 0]
