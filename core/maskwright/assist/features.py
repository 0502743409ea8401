"""Features of recently used windows, bounded by bytes in memory; expensive ones are also kept on disk
(`embeddings`)."""

import threading
from dataclasses import dataclass
from typing import Protocol

from cachetools import LRUCache

from maskwright.assist.protocol import WindowFeatures
from maskwright.assist.window import Window

MAX_BYTES = 256 * 2**20
"""Sixty embeddings of SAM, fifteen of SAM 2."""
CHEAP_BYTES = 16 * 2**20
"""Limit for features that take a millisecond to recompute, such as the bundled network's windows: without it a day's
work fills the whole cache."""


@dataclass(frozen=True, slots=True)
class FeatureKey:
    """Identifies features of one window of one image.

    identity: text that identifies the image across sessions; any other object stands for an image without one.
    """

    content_hash: str
    identity: str | object
    window: Window


class FeatureStore(Protocol):
    """Where features outlive the process."""

    def get(self, key: FeatureKey) -> WindowFeatures | None:
        """The stored features, or None."""

    def put(self, key: FeatureKey, features: WindowFeatures) -> None:
        """Store features; may do nothing."""


class FeatureCache:
    """Least recently used features go first. All methods are thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES, store: FeatureStore | None = None) -> None:
        self._lock = threading.Lock()
        self._dear: LRUCache[FeatureKey, WindowFeatures] = LRUCache(
            max_bytes, getsizeof=lambda features: features.nbytes
        )
        self._cheap: LRUCache[FeatureKey, WindowFeatures] = LRUCache(
            min(max_bytes, CHEAP_BYTES), getsizeof=lambda features: features.nbytes
        )
        self.store = store

    def get(self, key: FeatureKey) -> WindowFeatures | None:
        """The features, from memory or from disk; None if there are none."""
        with self._lock:
            known = self._dear.get(key) or self._cheap.get(key)
        if known is None and self.store is not None and isinstance(key.identity, str):
            known = self.store.get(key)
            if known is not None:
                self._remember(self._dear, key, known)
        return known

    def put(self, key: FeatureKey, features: WindowFeatures, *, keeps: bool) -> None:
        """Add features. `keeps`: whether they are worth a place on disk and a large share of the memory."""
        self._remember(self._dear if keeps else self._cheap, key, features)
        if keeps and self.store is not None and isinstance(key.identity, str):
            self.store.put(key, features)

    @property
    def used_bytes(self) -> int:
        """Bytes in memory."""
        with self._lock:
            return int(self._dear.currsize + self._cheap.currsize)

    def _remember(
        self, kept: "LRUCache[FeatureKey, WindowFeatures]", key: FeatureKey, features: WindowFeatures
    ) -> None:
        with self._lock:
            if features.nbytes <= kept.maxsize:
                kept[key] = features
