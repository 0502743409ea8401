"""Features of windows that were looked at lately, by bytes in memory; what cost much also on disk (`embeddings`)."""

import threading
from dataclasses import dataclass
from typing import Protocol

from cachetools import LRUCache

from maskwright.assist.protocol import WindowFeatures
from maskwright.assist.window import Window

MAX_BYTES = 256 * 2**20
"""Sixty embeddings of SAM, fifteen of SAM 2."""
CHEAP_BYTES = 16 * 2**20
"""Of what is made again in a millisecond, as the bundled network's windows: a day's work filled all of the above."""


@dataclass(frozen=True, slots=True)
class FeatureKey:
    """identity: what tells the image from all others, as text; any other object stands for an image without one."""

    content_hash: str
    identity: str | object
    window: Window


class FeatureStore(Protocol):
    """Where features outlive the process."""

    def get(self, key: FeatureKey) -> WindowFeatures | None: ...

    def put(self, key: FeatureKey, features: WindowFeatures) -> None: ...


class FeatureCache:
    """All methods may be called from any thread."""

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
        with self._lock:
            known = self._dear.get(key) or self._cheap.get(key)
        if known is None and self.store is not None and isinstance(key.identity, str):
            known = self.store.get(key)
            if known is not None:
                self._remember(self._dear, key, known)
        return known

    def put(self, key: FeatureKey, features: WindowFeatures, *, keeps: bool) -> None:
        """`keeps`: whether they are worth a place on disk, and much of the memory."""
        self._remember(self._dear if keeps else self._cheap, key, features)
        if keeps and self.store is not None and isinstance(key.identity, str):
            self.store.put(key, features)

    @property
    def used_bytes(self) -> int:
        """In memory."""
        with self._lock:
            return int(self._dear.currsize + self._cheap.currsize)

    def _remember(
        self, kept: "LRUCache[FeatureKey, WindowFeatures]", key: FeatureKey, features: WindowFeatures
    ) -> None:
        with self._lock:
            if features.nbytes <= kept.maxsize:
                kept[key] = features
