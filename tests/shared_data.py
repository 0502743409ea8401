"""Where tests find the real photographs and model files, which do not ship with the project."""

import os
from pathlib import Path

import pytest

_ROOT = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[2] / "shared" / "data"))


def shared_path(name: str) -> Path:
    """Path of a shared file or folder such as "coco/val.json"; skips the calling test where it is absent."""
    path = _ROOT / name
    if not path.exists():
        pytest.skip(f"shared data {name} is not here")
    return path
