"""Offers the edits of a rescue copy when their project is open again."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskwright.project.rescue import Rescue


def offer_rescued(
    rescues: "Sequence[Rescue]", *, take: Callable[[], object], drop: Callable[[], object], parent: QWidget
) -> QMessageBox:
    """Asks beside the work; `take` puts them in, `drop` deletes the copy, without either they are offered again."""
    edits = sum(len(rescue.edits) for rescue in rescues)
    images = len({edit.image_id for rescue in rescues for edit in rescue.edits})
    what = f"{edits} edit" + (" was" if edits == 1 else "s were") + " not saved last time"
    box = QMessageBox(QMessageBox.Icon.Question, "Rescued edits", what)
    box.setParent(parent, box.windowFlags())
    at = datetime.fromisoformat(rescues[-1].at).astimezone().strftime("%Y-%m-%d %H:%M")
    where = "1 image" if images == 1 else f"{images} images"
    box.setInformativeText(
        f"The project's folder did not take them; a copy was kept on this computer ({where}, {at}). "
        "Put in, each can be undone on its image."
    )
    put_in = box.addButton("Put them in" if edits > 1 else "Put it in", QMessageBox.ButtonRole.AcceptRole)
    delete = box.addButton("Delete the copy", QMessageBox.ButtonRole.DestructiveRole)
    later = box.addButton("Not now", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(put_in)
    box.setEscapeButton(later)
    put_in.clicked.connect(lambda: take())
    delete.clicked.connect(lambda: drop())
    box.finished.connect(box.deleteLater)
    box.open()
    return box
