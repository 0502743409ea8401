"""The Point tool in the window: asks the assistant, passes on its answers, and reports its failures."""

from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog

from maskwright.document.values import Provenance
from maskwright.errors import MaskwrightError
from maskwright.monitor import Monitor
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.point.assistants import BUNDLED, Assistants
from maskwright_gui.features.point.draft import Accepted, OutlineAnswer, PointPrompt
from maskwright_gui.features.point.options import PointBar, installed_assistants, name_of, title_of
from maskwright_gui.features.point.outlining import ExpectedQuestions, OutlineThread, Question, described_origin
from maskwright_gui.features.point.tool import NAME, PointTool
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.features.tools.feature import ToolEntry, ToolsFeature
from maskwright_gui.messages import Message
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.workers.images import ImageLoader

if TYPE_CHECKING:
    from maskwright.assist.view import BackendAssistant

SETTING, FOLDER_SETTING = "assist/model", "assist/folder"
AT_ONCE_MS = 30.0
"""Up to this time per answer, an assistant previews clicks while the pointer moves."""
REST_MS = 150
"""A slower one previews when the pointer has rested this long."""
AHEAD_MS = 250
"""A user who stays on an image this long means to work on it."""
LATE_MS = 6000
"""Without an answer for this long, the user is told."""


class PointFeature(Feature):
    """Passes prompts to the thread and answers to the tool."""

    def __init__(
        self,
        context: Context,
        images: ImagesFeature,
        tools: ToolsFeature,
        thresholds: ThresholdsFeature,
        loader: ImageLoader,
    ) -> None:
        super().__init__(context)
        self._serials = count(1)
        self._unfinished: list[Accepted] = []
        """Drafts accepted on an image, or with a tool, that was left before the answer came."""
        self._taken_ms = _unknown_times()
        self._has_failed = False
        """Whether the reason for the next failed answer has already been shown."""
        self._images, self._loader, self._strip = images, loader, thresholds.strip
        self.assistants = Assistants()
        self._wish: str | None = None
        """The assistant chosen last, loaded or not."""
        self.thread_ = self._new_thread()
        self.bar = PointBar(self._canvas, installed_assistants)
        self._window.add_canvas_bar(self.bar)
        self.bar.chosen.connect(self.choose)
        self.bar.browse_requested.connect(self.browse)
        self.bar.others_requested.connect(self.open_assistants)
        self._canvas.tool_changed.connect(self._on_tool)
        self._session.document_replaced.connect(lambda _document: self._look_ahead_soon())
        self._session.image_changed.connect(lambda _image: self._accept_left())
        self._ahead = QTimer(self, singleShot=True, interval=AHEAD_MS)
        self._ahead.timeout.connect(self._look_ahead)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._foresee)
        self._late = QTimer(self, singleShot=True, interval=LATE_MS)
        self._late.timeout.connect(self._tell_late)
        self._session.project_changed.connect(lambda _project: self._forget())
        self._canvas.cursor_moved.connect(lambda _x, _y: self._on_moved())
        tools.add(
            ToolEntry(
                NAME,
                "Outline by pointing",
                "Point",
                "crosshair-simple",
                ("N",),
                self._make_tool,
                words="click assist ai sam smart segment anything magic wand auto prompt correct",
                presets={"CVAT": ("Shift+N",)},
                makes_objects=True,
                group=-1,
            )
        )

    @property
    def assistant_name(self) -> str:
        """Name or path of the chosen assistant."""
        return str(self._settings.value(SETTING, BUNDLED))

    def pixels(self, image_id: int, path: Path) -> NDArray[np.uint8]:
        """Called in a thread: the pixels decoded for the canvas, else those of the file."""
        from maskwright.images import read_image

        decoded = self._loader.decoded(image_id, path)
        return decoded[1] if decoded is not None else read_image(path).bgr_u8

    def choose(self, assistant: str) -> None:
        """Choose an assistant by name or path. It is tried at once; if it fails, the previous one stays."""
        if self._tool is not None:
            self._tool.cancel()  # one assistant cannot continue what another has begun
        self._wish = assistant
        self.bar.show_note(f"Loading {title_of(assistant)}…")
        self._run_beside(
            partial(_loaded, self.assistants, assistant),
            partial(self._on_chosen, assistant),
            partial(self._on_not_chosen, assistant),
            joins=True,
        )

    def open_assistants(self) -> None:
        """Open the catalogue of assistants."""
        from maskwright.models.catalog import listed_assistants

        tip = "Use this assistant from now on"
        dialog = ModelsDialog(self._window, title="Assistants", use_tip=tip, listed=listed_assistants)
        dialog.model_chosen.connect(lambda chosen: self.choose(name_of(chosen)))
        dialog.show()

    def browse(self) -> None:
        """Ask for a network file; of a pair, either will do."""
        folder = str(self._settings.value(FOLDER_SETTING, ""))
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open an assistant", folder, "Networks (*.xml *.onnx);;All files (*)"
        )
        if name:
            self._settings.setValue(FOLDER_SETTING, str(Path(name).parent))
            self.choose(name)

    def ask(self, prompt: PointPrompt) -> None:
        question = self._question(prompt)
        if question is None:
            self._answer_soon(prompt)
            return
        if not prompt.is_hover:
            self._late.start()
        if self.thread_.identity is None:
            self.work_changed.emit("Loading the assistant", 0, None)
        self.thread_.ask(question)

    def keep(self, serial: int) -> None:
        self.thread_.keep(serial)

    def finish(self, accepted: Accepted) -> None:
        """Make the object when its answer comes; if it is there, once the new image is on screen."""
        if accepted.draft.is_waiting:
            self._unfinished.append(accepted)
        else:
            QTimer.singleShot(0, self, partial(self._again, self._session.project, partial(self._make, accepted)))

    def provenance(self, presses: int) -> Provenance | None:
        return described_origin(self.thread_.identity, presses)

    def stop(self) -> None:
        super().stop()
        for timer in (self._rest, self._late, self._ahead):
            timer.stop()
        self.thread_.stop()

    def _new_thread(self) -> OutlineThread:
        thread = OutlineThread(self.pixels, self.assistants, self)
        thread.answered.connect(self._on_answered)
        thread.failed.connect(lambda error: self._tell_error("No outline was made", error))
        thread.loaded.connect(self._on_loaded)
        thread.start()
        return thread

    def _give_up_on_thread(self, assistant: str) -> None:
        """Start another thread, with what was accepted unseen: the running call may never end."""
        left = self.thread_.retire()
        self.thread_ = self._new_thread()
        for question in left:
            anew = replace(question.prompt, previous=None)  # one network cannot continue from another's outline
            self.thread_.adopt(replace(question, prompt=anew, assistant=assistant))
        self._late.stop()

    def _make_tool(self, context: ToolContext) -> PointTool:
        return PointTool(context, self, self._serials)

    @property
    def _tool(self) -> PointTool | None:
        tool = self._canvas.tool
        return tool if isinstance(tool, PointTool) else None

    def _question(self, prompt: PointPrompt) -> Question | None:
        project, image = self._session.project, self._session.image
        if project is None or image is None or image.id != prompt.image_id:
            return None
        min_iou = self._strip.thresholds.min_iou
        path = project.image_path(image)
        return Question(prompt, path, self.assistant_name, min_iou, project.path)

    def _accept_left(self) -> None:
        """Leaving an image accepts the draft on it, as Space does: its user has seen the outline."""
        if self._tool is not None:
            self._tool.leave()

    def _answer_soon(self, prompt: PointPrompt) -> None:
        """Ask the thread or, without an image, answer at once; the tool always hears of it after it has asked."""
        QTimer.singleShot(0, self, lambda: self._answer(prompt, None))

    def _on_moved(self) -> None:
        if self._tool is None:
            return
        if self._taken_ms[self._tool.is_searching] <= AT_ONCE_MS:
            self._foresee()
        else:
            self._rest.start()

    def _foresee(self) -> None:
        if (tool := self._tool) is not None:
            tool.foresee()

    def _on_answered(self, prompt: PointPrompt, outline: OutlineAnswer | None, taken_ms: float) -> None:
        taken = self._taken_ms[prompt.is_search] = 0.7 * self._taken_ms[prompt.is_search] + 0.3 * taken_ms
        if not prompt.is_hover:
            self._late.stop()
            self.bar.show_speed(taken)
            if outline is None and not self._has_failed:
                self.told.emit(Message("Nothing was found there", "Try a box around the object or another point."))
        self._has_failed = False
        self._answer(prompt, outline)

    def _forget(self) -> None:
        self._unfinished.clear()
        self.thread_.forget_image()

    def _answer(self, prompt: PointPrompt, outline: OutlineAnswer | None) -> None:
        for accepted in list(self._unfinished):
            if accepted.draft.answer(prompt.serial, outline) and not accepted.draft.is_waiting:
                self._unfinished.remove(accepted)
                self._once_answered(partial(self._make, accepted))
        if (tool := self._tool) is not None:
            tool.on_answer(prompt.serial, outline)
            self._canvas.show_tool()

    def _make(self, accepted: Accepted) -> None:
        origin = self.provenance(len(accepted.draft.presses))
        document = self._session.document_of(accepted.image_id)
        step = accepted.change(document, self._session.new_instance_id, origin)
        if step is not None:
            self._session.edit_image(accepted.image_id, *step)

    def _on_loaded(self, _name: str) -> None:
        self.work_changed.emit("", 0, None)

    def _tell_late(self) -> None:
        detail = "Your click is not lost: the outline will appear. Esc cancels it."
        wish = "Use the bundled assistant" if self.assistant_name != BUNDLED else "Start it again"
        self.told.emit(
            Message("The outline is taking unusually long", detail, "warning", wish, partial(self.choose, BUNDLED))
        )

    def _tell_error(self, what: str, error: MaskwrightError) -> None:
        self.work_changed.emit("", 0, None)
        self._late.stop()
        self._has_failed = True
        if self.assistants.identity is not None or self.assistant_name == BUNDLED:
            super()._tell_error(what, error)
            return
        wish = ("Use the bundled assistant", partial(self.choose, BUNDLED))
        self.told.emit(Message(f"{title_of(self.assistant_name)} cannot be used", str(error), "error", *wish))

    def _on_tool(self, name: str) -> None:
        if name == NAME:
            self.bar.show_for(self.assistant_name)
            self._look_ahead_soon()
        else:
            self.bar.hide()

    def _look_ahead_soon(self) -> None:
        if self._tool is not None:
            self._ahead.start()

    def _look_ahead(self) -> None:
        """Load the network and prepare the current image and the next ones, before the user asks."""
        project, image = self._session.project, self._session.image
        if project is None or image is None or project.is_read_only or self._tool is None:
            return
        rows = self._images.rows
        row = rows.row_of(image.id) or 0
        records = [image, *(found for step in (1, -1) if (found := rows.record(row + step)) is not None)]
        images = tuple((record.id, project.image_path(record)) for record in records)
        self.thread_.look_ahead(ExpectedQuestions(images, self.assistant_name, project.path))

    def _on_chosen(self, assistant: str, loaded: "BackendAssistant") -> None:
        if assistant != self._wish:
            return  # it arrived after another had been chosen
        if self.thread_.is_busy:
            self._give_up_on_thread(assistant)
        self._settings.setValue(SETTING, assistant)
        self._taken_ms = _unknown_times()
        self._show_choice()
        self.bar.show_note(loaded.device_note or "")

    def _on_not_chosen(self, assistant: str, error: MaskwrightError) -> None:
        if assistant != self._wish:
            return
        self._show_choice()
        self.bar.show_note("")
        detail = f"{error}. {title_of(self.assistant_name)} stays in use."
        self.told.emit(Message(f"{title_of(assistant)} cannot be used", detail, "error"))

    def _show_choice(self) -> None:
        if self._tool is not None:
            self.bar.show_for(self.assistant_name)


def _unknown_times() -> dict[bool, float]:
    """Milliseconds per prompt, for searching ones and others. Until they are measured, previews wait until the pointer
    rests.
    """
    return dict.fromkeys((False, True), 2 * AT_ONCE_MS)


def _loaded(assistants: Assistants, name: str, monitor: Monitor) -> "BackendAssistant":
    monitor.report(0, None, "Loading the assistant")
    return assistants.get(name)
