"""The Image menu: which image is on screen, and its review state."""

from functools import partial

from PySide6.QtCore import Qt, Signal

from maskwright.document.values import ImageState, InstanceState
from maskwright_gui.actions import Action, Menu, Under, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.missing import MissingImages
from maskwright_gui.features.images.pixels import Gatherer, ImageOnCanvas
from maskwright_gui.features.images.walk import RowWalk, is_open
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.held_key import SpaceTap
from maskwright_gui.messages import Message
from maskwright_gui.open_project import OpenProject
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.panels.images import ImagesPanel
from maskwright_gui.tools.tool import KeyPress
from maskwright_gui.workers.executor import NoAnswerError
from maskwright_gui.workers.images import ImageLoader
from maskwright_gui.workers.thumbnails import ThumbnailLoader

NOT_ANSWERED = (
    "Proposals are not exported unless accepted. {accept} accepts, {reject} rejects, {accept_view} accepts all in view."
)
_LAST, _NONE_FOLLOWS = "This is the last image", "No unfinished images follow"


class ImagesFeature(Feature):
    """Walks through the rows of the image list and marks images as done."""

    failed = Signal(str, object)
    """(what failed, ImageError)."""
    records_changed = Signal(object)
    """frozenset of the ids of images whose state or counts changed."""
    counted = Signal(int, int)
    """(images done, all images), whenever these may have changed."""
    all_done = Signal()
    """The last image of the list was marked done, and no unfinished image is left."""

    def __init__(
        self,
        context: Context,
        projects: ProjectsFeature,
        loader: ImageLoader,
        thumbnails: ThumbnailLoader,
    ) -> None:
        super().__init__(context)
        self._loader, self._thumbnails = loader, thumbnails
        self.rows = ImageListModel(thumbnails)
        self.panel = ImagesPanel(self.rows, self._window)
        area = Qt.DockWidgetArea.LeftDockWidgetArea
        self._dock = self._window.add_dock("Images", self.panel, area, size_px=130, key_lists=[self.panel.list_view])
        self.missing = MissingImages(self._session, thumbnails, self)
        self.missing.changed.connect(self._show_counts)
        self._changed = Gatherer(self)
        self._walk = RowWalk(self._session, self.rows)
        self._pixels = ImageOnCanvas(self._session, self._canvas, self._walk, loader)
        self._declare(*self._walking(), *self._judging())
        SpaceTap(self._canvas, self.done)
        self._connect(projects)

    def _walking(self) -> tuple[Action, ...]:
        return (
            Action(
                "next_image",
                "Next image",
                Menu.IMAGE,
                0,
                self.next_image,
                keys=("D", "PgDown"),
                presets={"labelme": ("D", "Ctrl+Shift+D"), "CVAT": ("F", "PgDown")},
                icon="caret-right",
                repeats=True,
            ),
            Action(
                "previous_image",
                "Previous image",
                Menu.IMAGE,
                0,
                self.previous_image,
                keys=("A", "PgUp"),
                presets={"labelme": ("A", "Ctrl+Shift+A"), "CVAT": ("D", "PgUp")},
                icon="caret-left",
                repeats=True,
            ),
            Action(
                "next_open",
                "Next unfinished image",
                Menu.IMAGE,
                0,
                self.next_open,
                keys=("Ctrl+Shift+D",),
                presets={"labelme": ()},
                repeats=True,
                words="unfinished todo",
            ),
            Action(
                "previous_open",
                "Previous unfinished image",
                Menu.IMAGE,
                0,
                self.previous_open,
                keys=("Ctrl+Shift+B",),
                repeats=True,
                words="unfinished todo",
            ),
        )

    def _judging(self) -> tuple[Action, ...]:
        return (
            Action(
                "done",
                "Mark done, go to next image",
                Menu.IMAGE,
                1,
                self.done,
                keys=("Space", "Ctrl+Alt+K"),
                icon="check-circle",
                is_canvas=True,
                words="finished complete verified approve",
                tool_bar=(3, "Done"),
                canvas_menu=((Under.NOTHING, 0),),
                needs=may_edit,
            ),
            Action(
                "reopen",
                "Mark as not done",
                Menu.IMAGE,
                1,
                self.reopen,
                keys=("Shift+Space",),
                is_canvas=True,
                words="unfinished undo",
                needs=may_edit,
            ),
            Action(
                "find_image",
                "Find image by name",
                Menu.IMAGE,
                2,
                self.find,
                keys=("Ctrl+F",),
                presets={"labelme": ("Ctrl+Shift+F",)},
                icon="magnifying-glass",
                words="search filter file",
            ),
        )

    def _connect(self, projects: ProjectsFeature) -> None:
        session = self._session
        session.project_changed.connect(self._on_project_changed)
        session.image_changed.connect(lambda _image: self._window.later.put("row", self._show_row))
        session.record_changed.connect(self.note_changed)
        self._loader.loaded.connect(self._thumbnails.offer)
        self._pixels.failed.connect(self.failed)
        self._pixels.work_changed.connect(self.work_changed)
        self._changed.gathered.connect(self._on_records_changed)
        self.rows.failed.connect(self._tell_error)
        self.panel.image_chosen.connect(session.show_image)
        self._window.theme_changed.connect(self.panel.set_theme)
        projects.opened.connect(self._on_opened)
        projects.images_added.connect(self.refilter)

    @property
    def on_screen(self) -> int | None:
        """Id of the image whose pixels are on the canvas; None while they are being decoded."""
        return self._pixels.on_screen

    @property
    def order(self) -> str:
        """The order of the list, by the name its model uses."""
        return self.rows.order

    def note_changed(self, image_id: int) -> None:
        """The list must read this image again; `records_changed` follows once for many images."""
        self._changed.note(image_id)

    def refilter(self) -> None:
        """Ask the project again which images exist and what state they are in."""
        self.panel.refilter()
        self._show_counts()

    def find(self) -> None:
        """Go to the search field of the image list."""
        self._dock.show()
        self.panel.focus_search()

    def beside(self, image_id: int) -> int | None:
        """The next image in the list, or the one before the last; None if there is no other."""
        row = self.rows.row_of(image_id)
        if row is None:
            return None
        around = [at for at in (self._walk.beside(row, 1), self._walk.beside(row, -1)) if 0 <= at < len(self.rows.ids)]
        return int(self.rows.ids[around[0]]) if around else None

    def go_to(self, image_id: int, instance_id: int) -> None:
        """Show an image and, unless `instance_id` is 0, select one of its objects."""
        self._session.show_image(image_id)
        if instance_id:
            self._session.select(frozenset({instance_id}))
            self._canvas.zoom_to_selection()

    def read_files_again(self) -> None:
        """The image files may have changed: read the current one again."""
        self._thumbnails.forget()
        self._pixels.forget()
        self.panel.refilter()
        image_id = self._session.image.id if self._session.image is not None else None
        self._session.show_image(None)
        if image_id is not None:
            self._session.show_image(image_id)

    def stop(self) -> None:
        self.rows.stop()

    def next_image(self) -> None:
        """Go to the next row."""
        self._step(1)

    def previous_image(self) -> None:
        """Go to the previous row."""
        self._step(-1)

    def next_open(self) -> None:
        """Go to the next image that is not done."""
        self._step_to_open(1)

    def previous_open(self) -> None:
        """Go to the previous image that is not done."""
        self._step_to_open(-1)

    def show_first(self) -> None:
        """Show the first image that is not done, where the work continues."""
        ids = self.rows.ids
        if not len(ids):
            return
        first = self.rows.record(0)
        row = 0 if first is None or is_open(first) else self._walk.next_open_row(0, 1)
        self._session.show_image(int(ids[row if row is not None else 0]))

    def go_on(self) -> None:
        """A folder answers again: read what was missing."""
        self._pixels.look_ahead_soon()

    def done(self) -> None:
        """Mark the image done (or verified empty, if it has no objects and no open proposals) and go to the next.

        An outline that was pointed at but not accepted is accepted first: whoever leaves the image is content with it.
        """
        if not may_edit(self._session):  # Space comes here without the action, which is off
            return
        is_pointing = self._canvas.tool.is_busy and self._canvas.tool.is_whole
        if is_pointing:
            self._canvas.tool.on_key(KeyPress("Enter"))
            self._canvas.show_tool()
            if self._canvas.tool.is_busy:  # its class is asked for first
                return
        document, image = self._session.document, self._session.image
        if document is None or image is None:
            return
        open_count = sum(instance.state is InstanceState.PROPOSED for instance in document)
        has_some = (
            is_pointing
            or bool(open_count or document.damaged)
            or any(instance.state.is_exported for instance in document)
        )
        self._session.set_image_state(ImageState.DONE if has_some else ImageState.EMPTY)
        if open_count:
            self._tell_left_open(image.id, open_count)
        row = self._walk.row
        if row is not None and self._walk.beside(row, 1) >= len(self.rows.ids):
            self._session.save()
            self._tell_end(self.missing.open_count())
        else:
            self._step(1)

    def _tell_left_open(self, image_id: int, count: int) -> None:
        """Tell the user that an image was marked done with unreviewed proposals, which exports will leave out."""
        were = "1 proposal was" if count == 1 else f"{count} proposals were"
        detail = self._actions.with_keys(NOT_ANSWERED)
        back = partial(self._session.show_image, image_id)
        self.told.emit(Message(f"{were} not reviewed", detail, "warning", "Go back", back))

    def _tell_end(self, open_count: int) -> None:
        """Tell the user what is left to do after the last image of the list was marked done."""
        if not open_count:
            self.all_done.emit()
            return
        are = "1 image is" if open_count == 1 else f"{open_count} images are"
        self.told.emit(Message("End of the list", f"{are} not done yet.", "info", "Go there", self.show_first))

    def reopen(self) -> None:
        """Mark the image on screen as not done."""
        self._session.set_image_state(ImageState.IN_PROGRESS)

    def _step(self, direction: int) -> None:
        self._walk.direction = direction
        row = self._walk.row
        target = self._walk.beside(row, direction) if row is not None else 0
        if 0 <= target < len(self.rows.ids):
            self._session.show_image(int(self.rows.ids[target]))
        else:
            self.told.emit(Message(_LAST if direction > 0 else "This is the first image"))

    def _step_to_open(self, direction: int) -> None:
        row = self._walk.row
        if row is None:
            return
        target = self._walk.next_open_row(row, direction)
        if target is not None:
            self._session.show_image(int(self.rows.ids[target]))
        else:
            self.told.emit(Message(_NONE_FOLLOWS if direction > 0 else "All earlier images are done"))

    def _on_opened(self) -> None:
        if self._session.image is None:
            self.show_first()
        self._canvas.setFocus()

    def _on_project_changed(self, project: OpenProject | None) -> None:
        self._pixels.forget()
        self._thumbnails.forget()
        self.missing.set_ids(())
        self.panel.reset()
        self.rows.set_project(project)
        self._show_counts()

    def _on_records_changed(self, image_ids: frozenset[int]) -> None:
        self.rows.refresh(image_ids)
        self._show_counts()
        self.records_changed.emit(image_ids)

    def _show_counts(self) -> None:
        if self._session.project is None:
            return
        try:
            project = self._session.project
            counts = project.state_counts()
            done, total, missing = self.missing.progress(counts)
            standings = project.ask(lambda stored: stored.images.standing_counts())
        except NoAnswerError:
            return  # the current image stays until the new one arrives
        self._window.header.show_counts(done, total, missing)
        self.counted.emit(done, total)
        self.panel.show_counts(counts, standings)

    def _show_row(self) -> None:
        self.panel.show_current(self._session.image.id if self._session.image is not None else None)
