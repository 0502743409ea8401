"""Images of a project that show the same picture."""

from maskwright.errors import ImageError
from maskwright.images import read_thumbnail
from maskwright.images.fingerprint import alike, fingerprint
from maskwright.monitor import Monitor, SilentMonitor
from maskwright.project import Project

NAME = "fingerprint"
"""Of the signal in a project."""
_SIDE_PX = 64
_BLOCK = 50


def find_duplicates(project: Project, monitor: Monitor | None = None) -> list[list[int]]:
    """Groups of ids of images that look alike, each in order of adding; what was looked at once is remembered.

    Images that cannot be read belong to no group. Raises ProjectError when the project cannot be read.
    """
    monitor = monitor if monitor is not None else SilentMonitor()
    ids = project.image_ids().tolist()
    known = {int(id_): detail for id_, detail in project.signal_details(NAME).items()}
    fresh: dict[int, tuple[float, str]] = {}
    try:
        for done, record in enumerate(project.images(), 1):
            if record.id in known:
                continue
            try:
                picture = read_thumbnail(project.image_path(record), max_side_px=_SIDE_PX)
            except ImageError:
                continue
            known[record.id] = f"{fingerprint(picture):016x}"
            fresh[record.id] = (0.0, known[record.id])
            if len(fresh) >= _BLOCK:
                _keep(project, fresh)
            monitor.report(done, len(ids), "Looking for pictures that occur twice")
    finally:  # also where it was cancelled
        _keep(project, fresh)
    usable = [id_ for id_ in ids if id_ in known]
    groups = alike([int(known[id_], 16) for id_ in usable])
    return [[usable[place] for place in sorted(group)] for group in groups]


def _keep(project: Project, fresh: dict[int, tuple[float, str]]) -> None:
    if not project.is_read_only:
        project.set_signals(NAME, fresh)
    fresh.clear()
