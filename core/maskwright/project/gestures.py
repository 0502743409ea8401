"""The part of a project that records what steps cost a user: clicks, keys, seconds. Local, and only if wanted."""

from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from maskwright.document.change import UserEffort
from maskwright.project.repository import Repository
from maskwright.project.rows import from_json, to_json
from maskwright.project.schema import history, image_looks, settings

_SETTING = "effort.recorded"


class EffortRepository(Repository):
    """Clicks, keys and seconds."""

    @property
    def is_recorded(self) -> bool:
        """Whether clicks, keys and times are recorded; on by default."""
        with self._database.read() as connection:
            return is_recorded(connection)

    def record(self, is_on: bool) -> None:
        """While it is off nothing of the kind is stored; earlier records stay until `forget`."""
        row = upsert(settings).values(key=_SETTING, value=to_json(is_on))
        with self._database.write() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))

    def forget(self) -> None:
        """Erase all clicks, keys and times; the steps themselves stay, because undo needs them."""
        with self._database.write() as connection:
            connection.execute(update(history).values(clicks=None, keys=None, active_s=None))
            connection.execute(delete(image_looks))

    def add_look(self, image_id: int, gesture: UserEffort) -> None:
        """Count what was spent on an image without changing an object: looking, marking as done."""
        row = upsert(image_looks).values(image_id=image_id, **gesture_to_row(gesture))
        added = {name: image_looks.c[name] + row.excluded[name] for name in gesture_to_row(gesture)}
        with self._database.write(is_repeatable=True) as connection:
            if is_recorded(connection):
                connection.execute(row.on_conflict_do_update(index_elements=["image_id"], set_=added))

    def looks(self) -> dict[int, UserEffort]:
        """{image id: what `add_look` has counted}."""
        with self._database.read() as connection:
            rows = connection.execute(select(image_looks))
            return {row.image_id: UserEffort(row.clicks, row.keys, row.active_s) for row in rows if _is_sound(row)}


def _is_sound(row: Row[Any]) -> bool:
    return type(row.clicks) is type(row.keys) is int and type(row.active_s) in (int, float)


def is_recorded(connection: Connection) -> bool:
    """See `EffortRepository.is_recorded`."""
    text = connection.scalar(select(settings.c.value).where(settings.c.key == _SETTING))
    try:
        return text is None or bool(from_json(text))
    except (TypeError, ValueError):  # an invalid value cannot be the user's choice
        return False


def gesture_to_row(gesture: UserEffort) -> dict[str, float]:
    """As stored with a step."""
    return {"clicks": gesture.clicks, "keys": gesture.keys, "active_s": round(gesture.active_s, 3)}
