"""core never imports Qt: each of its modules is imported in a process where Qt cannot be."""

import subprocess
import sys
from pathlib import Path

CORE = Path(__file__).resolve().parents[1] / "core"

SCRIPT = """
import importlib, pkgutil, sys
for name in ("PySide6", "shiboken6", "maskwright_gui"):
    sys.modules[name] = None
import maskwright
optional = {"torch"}
for info in pkgutil.walk_packages(maskwright.__path__, "maskwright.", onerror=lambda name: None):
    if info.name.endswith("__main__") or info.name.startswith("maskwright.project.migrations."):
        continue
    try:
        importlib.import_module(info.name)
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise
print("ok")
"""


def test_core_imports_without_qt() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": f"{CORE}:{CORE.parent / 'resources'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.strip() == "ok", result.stderr
