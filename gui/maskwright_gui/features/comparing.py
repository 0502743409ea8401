"""Compares with a second model, which proposes nothing: it shows where the two differ."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import Message


class ComparingFeature(Feature):
    """Runs a second model on every image and notes where it disagrees."""

    compared = Signal()
    """Images now have a disagreement with another model."""

    def __init__(self, context: Context, images: ImagesFeature) -> None:
        super().__init__(context)
        self._declare(
            Action(
                "compare",
                "Compare with another model…",
                Menu.MODEL,
                2,
                self.choose,
                needs=may_edit,
            ),
        )
        self._session.project_changed.connect(self.stop)
        self.compared.connect(partial(images.panel.set_order, "disagreement"))

    def choose(self) -> None:
        """Ask for the other model's file."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Compare with another model", "", "Models (*.xml *.onnx *.pb);;All files (*)"
        )
        if name:
            self.compare(Path(name))

    def compare(self, model: Path) -> None:
        """Run `model` on all images in the background and note where it disagrees."""
        project = self._session.project
        if project is None:
            return
        from maskwright.operations.comparing import compare_with_file

        self._run_beside(partial(compare_with_file, project.stored, model), self._on_compared, "The comparison stopped")

    def _on_compared(self, count: int) -> None:
        self.told.emit(
            Message(f"Compared on {count_of(count, 'image')}", "Images on which the models disagree now come first.")
        )
        self.compared.emit()
