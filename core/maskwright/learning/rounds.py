"""The rounds of a project, recorded in its folder: which images were held out, which trained, and the outcome."""

import logging
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.learning.gate import Figures
from maskwright.learning.job import JOB_NAME, MOST_STEPS
from maskwright.plain_words import in_plain_words
from maskwright.project.learned_classes import ROUNDS_FILE
from maskwright.project.whole_files import sync_folder

FOLDER, _RECORD = ROUNDS_FILE.parts
_WORK = "round-"
_STARVED = 0.7
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """One finished round."""

    number: int
    model: str
    """Name under which it was installed, or would have been."""
    model_hash: str
    is_installed: bool
    reason: str
    base: str
    classes: tuple[str, ...]
    """The classes' names at the time."""
    training: tuple[int, ...]
    """Ids of the training images."""
    held_out: tuple[int, ...]
    objects: int
    seconds: float
    steps: int
    at: str
    """ISO 8601, UTC."""
    figures: Figures | None = None
    old_model: str | None = None
    old_figures: Figures | None = None
    category_ids: tuple[int, ...] = ()
    """Number of objects by class, in the order of the classes."""
    old_is_own: bool = True
    """The old model came from an earlier round, too."""
    minutes: float | None = None
    """Minutes of CPU time requested; None if steps were."""

    @property
    def was_starved(self) -> bool:
        """Whether other work left it much less CPU time than requested."""
        return self.minutes is not None and self.seconds < 60 * _STARVED * self.minutes and self.steps < MOST_STEPS


def learning_folder(project_path: Path) -> Path:
    """The folder of all rounds of a project."""
    return project_path / FOLDER


def read_rounds(project_path: Path) -> tuple[RoundRecord, ...]:
    """In order; unreadable records are skipped, so that a damaged one never prevents learning."""
    path = learning_folder(project_path) / _RECORD
    try:
        return tuple(_round(entry) for entry in orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        _log.warning("%s cannot be read: %s", path, error)
        return ()


def add_round(project_path: Path, record: RoundRecord) -> None:
    """Add a finished round. Raises FormatError if the folder cannot be written."""
    folder = learning_folder(project_path)
    known = read_rounds(project_path)
    if not known and (folder / _RECORD).exists():
        (folder / _RECORD).replace(folder / f"{_RECORD}.damaged")
    kept = [*(entry for entry in known if entry.number != record.number), record]
    with atomic_writer(folder / _RECORD) as file:
        file.write(orjson.dumps([asdict(entry) for entry in kept], option=orjson.OPT_INDENT_2))
    with suppress(OSError):  # the folder of rounds may be new
        sync_folder(project_path)


def keep_looks(project_path: Path, number: int, looks: Path) -> None:
    """Keep a round's objects on held-out images beyond its work folder; failures are ignored."""
    try:
        looks.replace(looks_path(project_path, number))
    except OSError as error:
        _log.info("round %d has no pictures: %s", number, error)


def looks_path(project_path: Path, number: int) -> Path:
    """The file with a finished round's objects on held-out images."""
    return learning_folder(project_path) / f"looks-{number}.json"


def write_record(path: Path, record: RoundRecord) -> None:
    """Raises FormatError if it cannot be written."""
    with atomic_writer(path) as file:
        file.write(orjson.dumps(asdict(record)))


def read_record(path: Path) -> RoundRecord:
    """Raises FormatError for a file that is not a record."""
    try:
        return _round(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FormatError(f"not the record of a round: {in_plain_words(error)}", path=path) from error


def round_folder(project_path: Path, number: int) -> Path:
    """The work folder of a round."""
    return learning_folder(project_path) / f"{_WORK}{number}"


def unfinished_round(project_path: Path) -> int | None:
    """The number of a round that has a job but no end; None if there is none."""
    names = (path.parent.name for path in learning_folder(project_path).glob(f"{_WORK}*/{JOB_NAME}"))
    numbers = [int(name.removeprefix(_WORK)) for name in names if name.removeprefix(_WORK).isdecimal()]
    return max(numbers, default=None)


def next_number(project_path: Path) -> int:
    """The number of the next round."""
    return max((record.number for record in read_rounds(project_path)), default=0) + 1


def model_name(project_name: str, number: int) -> str:
    """A name that a folder may have and that does not look like a path: "work (2).v1" gives "work-2-v1-round-3"."""
    plain = re.sub(r"[^\w-]+", "-", project_name).strip("-_") or "project"
    return f"{plain}-round-{number}"


def _round(values: dict[str, Any]) -> RoundRecord:
    known = dict(values)
    for key in ("classes", "training", "held_out", "category_ids"):
        known[key] = tuple(values.get(key, ()) if key == "category_ids" else values[key])
    for key in ("figures", "old_figures"):
        known[key] = Figures.from_json(values[key]) if values.get(key) else None
    return RoundRecord(**known)
