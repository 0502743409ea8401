"""`maskwright info` and `maskwright devices`: versions and devices."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from maskwright._version import __version__
from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson
from maskwright.cli.output import print_json, reports_errors, results

_LIBRARIES = (
    "openvino",
    "numpy",
    "opencv-python-headless",
    "pycocotools",
    "shapely",
    "SQLAlchemy",
    "PySide6-Essentials",
)


@reports_errors
def devices(as_json: AsJson = False) -> int:
    """List the devices that inference can run on."""
    from maskwright.inference.runtime import list_devices

    names = list_devices()
    if as_json:
        print_json({"devices": list(names)})
    else:
        results().print("\n".join(names))
    return exit_codes.OK


@reports_errors
def info(as_json: AsJson = False) -> int:
    """Print versions and devices for a bug report."""
    from maskwright.inference.runtime import list_devices

    found = {
        "maskwright": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        **{name: _version(name) for name in _LIBRARIES},
        "devices": list(list_devices()),
    }
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            results().print(f"{name:24} {', '.join(value) if isinstance(value, list) else value}")
    return exit_codes.OK


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
