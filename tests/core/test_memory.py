"""The allocator is spoken to where it listens, and left alone elsewhere."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

from maskwright.memory import use_few_arenas


def test_threads_share_two_heaps(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace(mallopt=lambda *args: told.append(args)))
    use_few_arenas()
    assert told == [(-8, 2)]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: asked.append(name) or SimpleNamespace())
    use_few_arenas()
    assert asked == [None]


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", asked.append)
    use_few_arenas()
    assert asked == []
