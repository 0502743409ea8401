"""Database rows to the frozen values of `maskwright.document` and back, validated: anyone may have written them."""

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert as upsert

from maskwright.document.values import (
    Category,
    ImageRecord,
    ImageStanding,
    ImageState,
    Instance,
    InstanceState,
    Provenance,
)
from maskwright.errors import DamagedRowError
from maskwright.file_names import file_name_fault, stand_in
from maskwright.formats.sizes import is_share
from maskwright.plain_words import in_plain_words, kind_of
from maskwright.project.packing import pack_polygons, packed_record, unpack_polygons
from maskwright.project.schema import settings

log = logging.getLogger(__name__)

MOST_SIDE_PX = 1 << 20
"""For annotated images, as in the readers of files; decoding has a limit of its own."""
_IMAGE_STATES = frozenset(state.value for state in ImageState)
_STANDINGS = frozenset(ImageStanding)
_COLOUR = re.compile("(#[0-9A-Fa-f]{6})?")
_MOST_SHOWN = 200
_MOST_NUMBER = 1 << 53
"""Room for this many steps above the highest value."""
_VISIBLE, _LOCKED, _CROWD = 1, 2, 4
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError)
"""What reading a damaged row may raise."""


def now() -> str:
    """ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def to_json(value: Any) -> str:
    """Raises TypeError for values that JSON does not have."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()


def from_json(text: str) -> Any:
    """Parse JSON. Raises ValueError."""
    return orjson.loads(text)


def json_object(text: object) -> dict[str, Any]:
    """Empty for anything but a JSON object, which `damaged_rows` lists."""
    try:
        found = from_json(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def extra_to_json(extra: Mapping[str, Any]) -> str | None:
    """None for an empty mapping."""
    return to_json(dict(extra)) if extra else None


def extra_from_json(text: str | None) -> Mapping[str, Any]:
    """Raises ValueError for anything but a JSON object."""
    extra = from_json(text) if text else {}
    if not isinstance(extra, dict):
        raise ValueError(f"expected a JSON object, got {kind_of(extra)}")
    return MappingProxyType(extra)


def image_from_row(row: Row[Any]) -> ImageRecord:
    """One without a valid name or size becomes a stand-in; other damaged ones keep both, and count as in progress."""
    if (fault := _place_fault(row)) is not None:
        log.warning("image %s of the project is damaged: %s", row.id, fault)
        return ImageRecord(row.id, stand_in(f"image {row.id}", row.file_name), 1, 1)
    return ImageRecord(
        id=row.id,
        file_name=row.file_name,
        width=row.width,
        height=row.height,
        state=image_state(row.state),
        instance_count=row.instance_count if type(row.instance_count) is int else 0,
        extra=extra_from_json(row.extra) if _extra_fault(row) is None else extra_from_json(None),
        standing=ImageStanding(row.standing) if row.standing in _STANDINGS else ImageStanding.LISTED,
    )


def is_stand_in(image: ImageRecord) -> bool:
    """Whether it stands for a row without a valid name or size."""
    return image.file_name.startswith(stand_in(f"image {image.id}", None).removesuffix("none"))


def image_state(value: object) -> ImageState:
    """In progress for an invalid value, so that someone looks again."""
    return ImageState(value) if value in _IMAGE_STATES else ImageState.IN_PROGRESS


def image_fault(row: Row[Any]) -> str | None:
    """What is wrong with a row of the image table; None if it is sound."""
    if (fault := _place_fault(row)) is not None:
        return fault
    if row.state not in _IMAGE_STATES or type(row.instance_count) is not int:
        return f"a state {_short(row.state)} or {_short(row.instance_count)} objects"
    if row.standing not in _STANDINGS:
        return f"a standing {_short(row.standing)}"
    return _extra_fault(row)


def _place_fault(row: Row[Any]) -> str | None:
    """Faults that make an image unusable."""
    if (fault := file_name_fault(row.file_name)) is not None:
        return f"its name: {fault}"
    if not all(type(side) is int and 0 < side <= MOST_SIDE_PX for side in (row.width, row.height)):
        return f"a size of {_short(row.width)} x {_short(row.height)} pixels"
    return None


def category_from_row(row: Row[Any]) -> Category:
    """An invalid class gets a name that says so."""
    if (fault := category_fault(row)) is not None:
        log.warning("class %s of the project is damaged: %s", row.id, fault)
        return Category(row.id, row.name if isinstance(row.name, str) and row.name else f"class {row.id} (damaged)")
    return Category(row.id, row.name, row.supercategory, row.colour, extra_from_json(row.extra))


def category_fault(row: Row[Any]) -> str | None:
    """What is wrong with a row of the class table; None if it is sound."""
    if not isinstance(row.name, str) or not isinstance(row.supercategory, str) or not row.name:
        return f"a name {_short(row.name)} or {_short(row.supercategory)}"
    if not isinstance(row.colour, str) or not _COLOUR.fullmatch(row.colour):
        return f"a colour {_short(row.colour)}"
    return _extra_fault(row)


def _extra_fault(row: Row[Any]) -> str | None:
    try:
        extra_from_json(row.extra)
    except (TypeError, ValueError) as error:
        return f"its further keys: {in_plain_words(error)}"
    return None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def category_to_row(category: Category) -> dict[str, Any]:
    """The row of a category."""
    return {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
        "colour": category.colour,
        "extra": extra_to_json(category.extra),
    }


def provenance_to_row(provenance: Provenance) -> dict[str, Any]:
    """The row of a provenance."""
    return {
        "model_name": provenance.model_name,
        "model_hash": provenance.model_hash,
        "score_threshold": provenance.score_threshold,
        "nms_iou": provenance.nms_iou,
        "created_at": provenance.created_at,
        "mask_threshold": provenance.mask_threshold,
        "min_iou": provenance.min_iou,
    }


def provenance_from_row(row: Row[Any]) -> Provenance:
    """Raises ValueError for a damaged row."""
    return sound_provenance(
        Provenance(
            row.model_name,
            row.model_hash,
            row.score_threshold,
            row.nms_iou,
            row.created_at,
            row.mask_threshold,
            row.min_iou,
        )
    )


def sound_provenance(given: Provenance) -> Provenance:
    """The argument. Raises ValueError for values that no model gives."""
    texts = (given.model_name, given.model_hash, given.created_at)
    shares: tuple[object, ...] = (given.score_threshold, given.nms_iou)
    shares += tuple(each for each in (given.mask_threshold, given.min_iou) if each is not None)
    if not all(isinstance(text, str) for text in texts) or not all(is_share(each) for each in shares):
        raise ValueError(f"expected a model and thresholds from 0 to 1, got {_short((*texts, *shares))}")
    return given


def sound_instance(given: Instance) -> Instance:
    """The argument. Raises ValueError if it could not be stored again. Outlines were validated when read."""
    numbers = (given.id, given.category_id, given.z)
    if not all(type(number) is int and abs(number) < _MOST_NUMBER for number in numbers):
        raise ValueError(f"its id, class or order is not a number: {_short(numbers)}")
    if not (given.score is None or (type(given.score) in (int, float) and math.isfinite(given.score))):
        raise ValueError(f"its score is not a number: {_short(given.score)}")
    if not isinstance(given.dense, bytes | None) or not isinstance(given.edited_at, str):
        raise ValueError("its detail is not a blob, or the time of its last edit is not text")
    flags = (given.is_visible, given.is_locked, given.is_crowd)
    if not all(type(flag) is bool for flag in flags):
        raise ValueError(f"whether it is shown, locked or a crowd is neither true nor false: {_short(flags)}")
    if given.provenance is not None:
        sound_provenance(given.provenance)
    return given


def instance_from_row(row: Row[Any], provenances: Mapping[int, Provenance]) -> Instance:
    """Raises DamagedRowError if it is invalid: nobody's work is dropped silently.

    An instance whose model run is missing gets none and is otherwise complete.
    """
    try:
        return _instance(row, provenances)
    except _UNREADABLE as error:
        log.debug("object %s is damaged: %r", row.id, error)
        raise DamagedRowError(
            f"object {row.id} of the project is damaged: {_what_is_wrong(row, error)}", row.id
        ) from error


def _what_is_wrong(row: Row[Any], error: Exception) -> str:
    """In words for the user: tries the parts in turn to find the one that fails."""
    parts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("outline", lambda: _outline_fault(row)),
        ("state", lambda: InstanceState(row.state)),
        ("list of further keys", lambda: extra_from_json(row.extra)),
    )
    for name, read in parts:
        try:
            read()
        except _UNREADABLE:
            return f"its {name} cannot be read"
    return str(error) if isinstance(error, ValueError) else "it cannot be read"


def _outline_fault(row: Row[Any]) -> None:
    """Raises what reading only the outline raises."""
    if (record := packed_record(row.polygons)) is not None:
        instance_from_record(record, row.id, row.category_id)
    else:
        unpack_polygons(row.polygons)


def sound_instances(
    rows: Iterable[Row[Any]], provenances: Mapping[int, Provenance], damaged: dict[int, str] | None = None
) -> Iterator[tuple[Row[Any], Instance]]:
    """Readable instances with their rows; the others are not changed, and the reasons go into `damaged` by id.

    All code must read the instance table through this: one damaged object must not affect the others.
    """
    for row in rows:
        try:
            instance = instance_from_row(row, provenances)
        except DamagedRowError as error:
            if damaged is not None:
                damaged[row.id] = error.message
            continue
        yield row, instance


def _instance(row: Row[Any], provenances: Mapping[int, Provenance]) -> Instance:
    if not isinstance(row.polygons, bytes):
        raise ValueError("its outline is not a blob")
    record = packed_record(row.polygons)
    if record is not None:
        return sound_instance(instance_from_record(record, row.id, row.category_id))
    instance = Instance(
        id=row.id,
        category_id=row.category_id,
        polygons=unpack_polygons(row.polygons),
        state=InstanceState(row.state),
        score=row.score,
        provenance=provenances.get(row.provenance_id) if row.provenance_id is not None else None,
        z=row.z,
        is_visible=bool(row.flags & _VISIBLE),
        is_locked=bool(row.flags & _LOCKED),
        is_crowd=bool(row.flags & _CROWD),
        extra=extra_from_json(row.extra),
        dense=row.dense,
        edited_at="" if row.edited_at is None else row.edited_at,
    )
    return sound_instance(instance)


def instance_from_record(record: bytes, id_: int, category_id: int) -> Instance:
    """An imported annotation of polygons that was validated on import."""
    # Imported here, because it imports OpenCV, which a window does not need to start.
    from maskwright.formats.coco.parse import polygon_instance_of

    return polygon_instance_of(orjson.loads(record), category_id, id_)


def instance_to_row(instance: Instance, image_id: int, provenance_id: int | None) -> dict[str, Any]:
    """The row of an instance."""
    flags = _VISIBLE * instance.is_visible + _LOCKED * instance.is_locked + _CROWD * instance.is_crowd
    return {
        "id": instance.id,
        "image_id": image_id,
        "category_id": instance.category_id,
        "state": instance.state.value,
        "score": instance.score,
        "provenance_id": provenance_id,
        "z": instance.z,
        "flags": flags,
        "polygons": pack_polygons(instance.polygons),
        "extra": extra_to_json(instance.extra),
        "dense": instance.dense,
        "edited_at": instance.edited_at or None,
    }


def read_setting(connection: Connection, key: str) -> Any:
    """The JSON value stored under `key`; None if there is none or it is invalid."""
    text = connection.scalar(select(settings.c.value).where(settings.c.key == key))
    try:
        return from_json(text) if text is not None else None
    except (TypeError, ValueError) as error:
        log.warning("the setting %s cannot be read: %s", key, error)
        return None


def write_settings(connection: Connection, values: Mapping[str, Any]) -> None:
    """Store JSON values by key."""
    for key, value in values.items():
        row = upsert(settings).values(key=key, value=to_json(value))
        connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))
