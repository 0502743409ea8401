"""Features of windows that were looked at lately, by bytes in memory; what cost much also on disk (`embeddings`)."""

import threading
from dataclasses import dataclass
from typing import Protocol

from cachetools import LRUCache

from maskwright.assist.protocol import Features
from maskwright.assist.window import Window

MAX_BYTES = 256 * 2**20
"""Sixty embeddings of SAM, fifteen of SAM 2."""


@dataclass(frozen=True, slots=True)
class FeatureKey:
    """identity: what tells the image from all others, as text; any other object stands for an image without one."""

    content_hash: str
    identity: str | object
    window: Window


class FeatureStore(Protocol):
    """Where features outlive the process."""

    def get(self, key: FeatureKey) -> Features | None: ...

    def put(self, key: FeatureKey, features: Features) -> None: ...


class FeatureCache:
    """All methods may be called from any thread."""

    def __init__(self, max_bytes: int = MAX_BYTES, store: FeatureStore | None = None) -> None:
        self._lock = threading.Lock()
        self._kept: LRUCache[FeatureKey, Features] = LRUCache(max_bytes, getsizeof=lambda features: features.nbytes)
        self.store = store

    def get(self, key: FeatureKey) -> Features | None:
        with self._lock:
            known = self._kept.get(key)
        if known is None and self.store is not None and isinstance(key.identity, str):
            known = self.store.get(key)
            if known is not None:
                self._remember(key, known)
        return known

    def put(self, key: FeatureKey, features: Features, *, keeps: bool) -> None:
        """`keeps`: whether they are worth a place on disk."""
        self._remember(key, features)
        if keeps and self.store is not None and isinstance(key.identity, str):
            self.store.put(key, features)

    @property
    def used_bytes(self) -> int:
        """In memory."""
        with self._lock:
            return int(self._kept.currsize)

    def _remember(self, key: FeatureKey, features: Features) -> None:
        with self._lock:
            if features.nbytes <= self._kept.maxsize:
                self._kept[key] = features
