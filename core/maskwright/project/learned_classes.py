"""Classes of models learned from a project: the project's own ids, whatever their present names."""

import logging
from collections.abc import Sequence
from pathlib import Path

import orjson

from maskwright.project.store import Project

ROUNDS_FILE = Path("learning", "rounds.json")
"""The record of the rounds, within a project's folder."""
_log = logging.getLogger(__name__)


def learned_classes(project: Project, model_hash: str) -> dict[int, int | None]:
    """{the model's id: the project's, or None if that class was deleted}; empty for any other model."""
    return todays_classes(project, _ids_of(project.path / ROUNDS_FILE, model_hash))


def todays_classes(project: Project, ids: Sequence[int]) -> dict[int, int | None]:
    """What became of the project's classes: merges are followed, deleted classes are None."""
    merged = project.merges.aliases()
    there = {category.id for group in project.categories.by_standing()[:2] for category in group}
    found = {id_: merged.get(id_, id_) for id_ in ids}
    return {id_: now if now in there else None for id_, now in found.items()}


def _ids_of(path: Path, model_hash: str) -> tuple[int, ...]:
    """Empty if the record cannot be read: then names decide, as for any model."""
    try:
        entries = orjson.loads(path.read_bytes())
        same = [entry for entry in entries if entry["model_hash"] == model_hash]
        return tuple(int(id_) for id_ in same[-1].get("category_ids", ())) if same else ()
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("%s cannot be read: %s", path, error)
        return ()
