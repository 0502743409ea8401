"""Runs `peer_canvas.py` with the Python of another tool, so that its figures stand beside ours in one run."""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from maskwright.document.document import Document

_LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class PeerFigures:
    name: str
    median_ms: Mapping[str, float]
    """CPU time of the process per step, by the step's name in `peer_canvas`."""


def run_peer(name: str, python: str, image: QImage, document: Document, steps: int) -> PeerFigures:
    """Raises RuntimeError with the end of its output when the tool does not run."""
    with tempfile.TemporaryDirectory() as folder:
        scene, picture = Path(folder) / "scene.npz", Path(folder) / "picture.png"
        np.savez(scene, rings=np.stack([instance.polygons[0].exterior for instance in document]))
        image.save(str(picture))
        script = str(Path(__file__).with_name("peer_canvas.py"))
        command = [python, script, name, str(scene), str(picture), str(steps)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stderr[-800:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return PeerFigures(name, {step: float(np.median(times)) for step, times in found.items()})
