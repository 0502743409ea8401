"""The Shape menu: combining and splitting outlines, copying, drawing order. Each command is one undo step."""

from collections.abc import Callable, Collection

from maskwright.document import combine
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance
from maskwright_gui.actions import Action, Menu, Under, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.editing import LOCKED
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import Message

PASTE_OFFSET_PX = 12.0


class ShapesFeature(Feature):
    """Edits the session's selection; copied objects survive a change of image."""

    def __init__(self, context: Context, images: ImagesFeature) -> None:
        super().__init__(context)
        self._images = images
        self._copied: tuple[Instance, ...] = ()
        self._copied_from: int | None = None
        self._declare(*self._copying(), *self._combining())

    def _copying(self) -> tuple[Action, ...]:
        return (
            Action("copy", "Copy objects", Menu.EDIT, 3, self.copy, keys=("Ctrl+C",), icon="copy", words="clipboard"),
            Action(
                "paste",
                "Paste objects in place",
                Menu.EDIT,
                3,
                self.paste,
                keys=("Ctrl+V",),
                icon="clipboard",
                words="clipboard insert",
                needs=may_edit,
            ),
            Action(
                "carry",
                "Copy to the next image",
                Menu.EDIT,
                3,
                self.copy_to_next_image,
                keys=("Ctrl+B",),
                words="propagate repeat following frame",
                needs=may_edit,
            ),
            Action(
                "duplicate",
                "Duplicate objects",
                Menu.EDIT,
                3,
                self.duplicate,
                keys=("Ctrl+D",),
                presets={"ISAT": ("Ctrl+Shift+C",)},
                words="clone copy",
                needs=may_edit,
            ),
        )

    def _combining(self) -> tuple[Action, ...]:
        return (
            Action(
                "merge",
                "Merge",
                Menu.SHAPE,
                0,
                self.merge,
                keys=("M",),
                presets={"CVAT": ("M",)},
                icon="git-merge",
                words="union join combine unite",
                canvas_menu=((Under.SEVERAL, 0),),
                needs=may_edit,
            ),
            Action(
                "subtract",
                "Subtract the topmost from the others",
                Menu.SHAPE,
                0,
                self.subtract,
                keys=("Shift+M",),
                presets={"ISAT": ("Ctrl+D",)},
                words="difference minus hole",
                canvas_menu=((Under.SEVERAL, 0),),
                needs=may_edit,
            ),
            Action(
                "intersect",
                "Intersect",
                Menu.SHAPE,
                0,
                self.intersect,
                icon="intersect",
                words="overlap common",
                needs=may_edit,
            ),
            Action(
                "group",
                "Group as parts of one object",
                Menu.SHAPE,
                1,
                self.group,
                keys=("G",),
                presets={"CVAT": ("G",)},
                words="multipart join combine",
                canvas_menu=((Under.SEVERAL, 0),),
                needs=may_edit,
            ),
            Action(
                "ungroup",
                "Ungroup parts",
                Menu.SHAPE,
                1,
                self.ungroup,
                keys=("Shift+G", "U"),
                presets={"CVAT": ("Shift+G",)},
                words="separate split apart",
                needs=may_edit,
            ),
            Action(
                "fill_holes",
                "Fill holes",
                Menu.SHAPE,
                2,
                self.fill_holes,
                keys=("Shift+H",),
                words="close gaps",
                needs=may_edit,
            ),
            Action(
                "keep_largest_part",
                "Keep only the largest part",
                Menu.SHAPE,
                2,
                self.keep_largest_part,
                keys=("Shift+K",),
                words="clean crumbs fragments islands noise",
                needs=may_edit,
            ),
            Action(
                "smooth",
                "Smooth",
                Menu.SHAPE,
                2,
                self.smooth,
                words="round soften",
                needs=may_edit,
            ),
            Action(
                "to_box",
                "Convert to box",
                Menu.SHAPE,
                2,
                self.to_box,
                words="bounding rectangle bbox",
                needs=may_edit,
            ),
            Action(
                "bring_forward",
                "Bring to front",
                Menu.SHAPE,
                3,
                self.bring_forward,
                keys=("Ctrl+]",),
                words="raise above top order layer",
                needs=may_edit,
            ),
            Action(
                "send_backward",
                "Send to back",
                Menu.SHAPE,
                3,
                self.send_backward,
                keys=("Ctrl+[",),
                words="lower below bottom order layer",
                needs=may_edit,
            ),
        )

    def merge(self) -> None:
        """Merge the selection into one object."""
        self._edit("Merge", combine.merge, "Select two or more objects to merge.")

    def subtract(self) -> None:
        """Subtract the topmost selected object from the others."""
        self._edit(
            "Subtract",
            combine.subtract_topmost,
            "Select two or more objects: the topmost is subtracted from the others.",
        )

    def intersect(self) -> None:
        """Keep only what all selected objects cover."""
        self._edit("Intersect", combine.intersect, "Select two or more objects that overlap.")

    def group(self) -> None:
        """Make the selection one object of several parts."""
        self._edit("Group", combine.group, "Select two or more objects to group.")

    def ungroup(self) -> None:
        """Make each part a separate object."""
        allocate = self._session.new_instance_id
        self._edit(
            "Ungroup",
            lambda document, ids: combine.ungroup(document, ids, allocate),
            "Select an object with several parts.",
        )

    def fill_holes(self) -> None:
        """Fill the holes of the selection."""
        self._edit("Fill holes", combine.fill_holes, "The selected objects have no holes.")

    def keep_largest_part(self) -> None:
        """Keep only the largest part of each selected object."""
        self._edit("Keep the largest part", combine.keep_largest_part, "The selected objects have only one part.")

    def to_box(self) -> None:
        """Replace outlines by their bounding boxes."""
        self._edit("Convert to box", combine.to_box, "Select an object first.")

    def smooth(self) -> None:
        """Round the corners of the selected outlines."""
        self._edit("Smooth", combine.smooth, "Select an object first.")

    def bring_forward(self) -> None:
        """Draw the selection above all others."""
        self._edit("Bring to front", combine.bring_forward, "Select an object first.")

    def send_backward(self) -> None:
        """Draw the selection below all others."""
        self._edit("Send to back", combine.send_backward, "Select an object first.")

    def copy(self) -> None:
        """Copy the selection, for pasting on this or another image."""
        document = self._session.document
        if document is None or not self._session.selection:
            return
        self._copied = tuple(one for one in document if one.id in self._session.selection)
        self._copied_from = document.image_id

    def paste(self) -> None:
        """Paste in place on another image, beside the originals on the same one."""
        document = self._session.document
        if document is not None and self._copied:
            beside = document.image_id == self._copied_from
            self._paste("Paste", document, self._copied, PASTE_OFFSET_PX if beside else 0.0)

    def copy_to_next_image(self) -> None:
        """Copy the selection to the same place on the next image."""
        if self._session.document is None or not self._session.selection:
            self.told.emit(Message("Select the objects to copy to the next image."))
            return
        left = self._session.document.image_id
        self.copy()
        self._images.next_image()
        if self._session.document is not None and self._session.document.image_id != left:
            self.paste()

    def duplicate(self) -> None:
        """Copy the selection with a small offset."""
        document = self._session.document
        if document is not None and self._session.selection:
            chosen = tuple(one for one in document if one.id in self._session.selection)
            self._paste("Duplicate", document, chosen, PASTE_OFFSET_PX)

    def _paste(self, label: str, document: Document, instances: tuple[Instance, ...], offset: float) -> None:
        allocate = self._session.new_instance_id
        self._session.reserve_ids(len(instances))
        change = combine.paste(document, instances, allocate, offset=(offset, offset))
        if change.is_empty:
            self.told.emit(Message("The copied objects lie outside this image."))
            return
        self._session.edit(change, label)
        self._session.select(frozenset(change.entries))

    def _edit(self, label: str, edit: Callable[[Document, Collection[int]], Change], advice: str) -> None:
        document = self._session.document
        if document is None:
            return
        change = edit(document, self._session.selection)
        if change.is_empty:
            is_locked = any(instance.is_locked for instance in self._session.selected_instances())
            self.told.emit(Message(self._actions.with_keys(LOCKED) if is_locked else advice))
            return
        self._session.edit(change, label)
        after = (id_ for id_, _, instance in change if instance is not None)
        self._session.select(frozenset(after))
