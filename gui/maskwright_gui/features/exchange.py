"""Export with its checks, and import of annotations made elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox

from maskwright.errors import MaskwrightError
from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import Message
from maskwright_gui.operation import Operation
from maskwright_gui.saving import SavingWatch

if TYPE_CHECKING:
    from maskwright.formats.gate import Finding
    from maskwright.operations.exchange import Imported
    from maskwright.operations.exporting import ExportOutcome, ExportRequest
    from maskwright.operations.import_preview import ImportPreview, MissingImage
    from maskwright_gui.dialogs.findings import FindingsDialog
    from maskwright_gui.dialogs.import_preview import ImportPreviewDialog

COCO_FILTER = "Annotations (*.json *.xml *.yaml *.yml);;All files (*)"


class ExchangeFeature(Feature):
    """Exports, checks and imports annotations, one background operation at a time."""

    exported = Signal(object)
    """ExportOutcome."""
    imported = Signal()
    """Images, classes and objects may have changed."""

    def __init__(self, context: Context, watch: SavingWatch, images: ImagesFeature) -> None:
        super().__init__(context)
        self._watch, self._images = watch, images
        self._is_importing = False
        self._declare(
            Action(
                "export",
                "Export annotations…",
                Menu.FILE,
                1,
                self.open_export,
                keys=("Ctrl+Shift+E",),
                icon="export",
                words="coco json yolo voc masks output save as write",
            ),
            Action(
                "check",
                "Check the annotations",
                Menu.FILE,
                1,
                self.check,
                words="validate verify errors problems repair",
            ),
            Action(
                "import",
                "Import annotations…",
                Menu.FILE,
                1,
                self.import_annotations,
                words="coco json labelme yolo voc cvat load file",
                needs=may_edit,
            ),
            Action(
                "import_folder",
                "Import a folder of annotations…",
                Menu.FILE,
                1,
                self.import_folder,
                words="yolo voc labelme isat cvat masks load directory",
                needs=may_edit,
            ),
        )
        self._session.project_changed.connect(self.stop)
        images.all_done.connect(self._on_all_done)

    def open_export(self) -> None:
        """Ask what to export and where."""
        from maskwright_gui.dialogs.export import ExportDialog

        project = self._session.project
        if project is None:
            return
        if not self._session.save():
            self._watch.look()
            detail = f"They would be missing from the file. {self._watch.state.detail}"
            self.told.emit(Message(f"Cannot export yet: {self._watch.state.short}", detail, "warning"))
            return
        dialog = ExportDialog(project.image_root, project.name, project.state_counts(), self._window)
        dialog.export_requested.connect(self.export)
        dialog.open()

    def export(self, request: "ExportRequest") -> None:
        """Save, then write the file in the background."""
        from maskwright.operations.exporting import export

        if self._session.project is not None and self._may_begin():
            work = partial(export, self._session.project.stored, request)
            self._follow(self._run_beside(work, self._on_exported, "Nothing was exported"), request.path.parent)

    def check(self) -> None:
        """Check for what readers of the export would refuse or misread, without writing a file."""
        from maskwright.formats.coco import CocoExportOptions
        from maskwright.operations.exporting import check_project

        if self._session.project is not None and self._may_begin():
            self._session.save()
            work = partial(check_project, self._session.project.stored, CocoExportOptions())
            self._run_beside(work, lambda found: self.show_findings(found), "The check failed")

    def import_annotations(self) -> None:
        """Ask for the file to import."""
        project = self._session.project
        folder = str(project.image_root) if project is not None else ""
        name, _ = QFileDialog.getOpenFileName(self._window, "Import annotations", folder, COCO_FILTER)
        if name:
            self.look_into(Path(name))

    def import_folder(self) -> None:
        """Ask for a folder to import, as YOLO, Pascal VOC and labelme write them."""
        project = self._session.project
        near = str(project.image_root) if project is not None else ""
        if name := QFileDialog.getExistingDirectory(self._window, "Import a folder of annotations", near):
            self.look_into(Path(name))

    def look_into(self, path: Path) -> None:
        """Show what a file or folder would bring, before it is imported."""
        from maskwright.operations.import_preview import preview_import

        if self._session.project is not None and self._may_begin():
            self._session.save()
            work = partial(preview_import, self._session.project.stored, path)
            operation = self._run_beside(work, self.show_preview, "The file cannot be imported")
            self._follow(operation, path.parent)

    def show_preview(self, preview: "ImportPreview") -> "ImportPreviewDialog":
        """Show the preview, which imports on confirmation."""
        from maskwright_gui.dialogs.import_preview import ImportPreviewDialog

        known = tuple(category.name for category in self._session.classes.listed)
        dialog = ImportPreviewDialog(preview, known, self._window)
        dialog.import_requested.connect(
            lambda names, files, again, without_missing: self.import_file(
                preview.path,
                class_names=names,
                image_names=files,
                adds_again=again,
                leaves_out_missing=without_missing,
            )
        )
        dialog.file_wanted.connect(partial(self._ask_for_file, dialog))
        dialog.open()
        return dialog

    def _ask_for_file(self, dialog: "ImportPreviewDialog", image: "MissingImage") -> None:
        """Which file of the image folder an image of the preview is."""
        from maskwright.operations.import_preview import file_for

        project = self._session.project
        if project is None:
            return
        name, _ = QFileDialog.getOpenFileName(dialog, f"Which file is {image.name}?", str(project.image_root))
        if not name:
            return

        def refuse(error: MaskwrightError) -> None:
            if shiboken6.isValid(dialog):  # it may have been cancelled meanwhile
                dialog.refuse(f"{Path(name).name} cannot be {image.name}: {error.reason}.")

        def assign(file: str) -> None:
            if shiboken6.isValid(dialog):
                dialog.assign(image, file)

        self._run_beside(lambda _monitor: file_for(project.stored, image, Path(name)), assign, refuse, joins=True)

    def import_file(
        self,
        path: Path,
        *,
        class_names: "Mapping[str, str | None] | None" = None,
        image_names: "Mapping[str, str] | None" = None,
        adds_again: bool = False,
        leaves_out_missing: bool = False,
    ) -> None:
        """Import annotations of any known format into the project, in one transaction.

        class_names: {class in the file: its name in the project, or None to leave it out}. image_names: {missing image:
        its file in the image folder}. adds_again: also add objects that are already there. leaves_out_missing: leave
        out images that are not in the image folder, with their objects.
        """
        from maskwright.operations.exchange import import_annotations

        if self._session.project is not None and self._may_begin():
            project = self._session.project
            operation = self._run_beside(
                lambda monitor: import_annotations(
                    project.stored,
                    path,
                    class_names=class_names,
                    image_names=image_names,
                    again=adds_again,
                    leave_out_missing=leaves_out_missing,
                    monitor=monitor,
                ),
                self._on_imported,
                "Nothing was imported",
            )
            self._is_importing = True
            self._follow(operation, path.parent)

    def show_findings(self, findings: "Sequence[Finding]", request: "ExportRequest | None" = None) -> "FindingsDialog":
        """List what the check has found, with a link to each object."""
        from maskwright_gui.dialogs.findings import FindingsDialog

        dialog = FindingsDialog(findings, can_force=request is not None, parent=self._window)
        dialog.place_chosen.connect(self._images.go_to)
        dialog.fix_requested.connect(self.mend)
        if request is not None:
            dialog.force_requested.connect(lambda: self.export(replace(request, is_forced=True)))
        dialog.show()
        return dialog

    def mend(self, image_ids: Sequence[int]) -> None:
        """Make the outlines on these images valid, as one undoable edit on each."""
        from maskwright.formats.gate import fix_all

        project = self._session.project
        if project is None:
            return
        count = 0
        for image_id in image_ids:
            record, document = project.record(image_id), self._session.document_of(image_id)
            change = fix_all([instance for instance in document if instance.state.is_exported], record)
            count += len(change)
            self._session.edit_image(image_id, change, "Mend outlines")
        self.told.emit(Message(f"{count_of(count, 'object')} mended", "This is one undo step on each image."))

    def _may_begin(self) -> bool:
        """Whether nothing is being imported: an import cannot be interrupted, and its outcome must be shown."""
        if self._is_importing:
            self.told.emit(Message("An import is running", "Try again when it has finished.", "warning"))
        return not self._is_importing

    def _follow(self, operation: Operation, folder: Path) -> None:
        """Watch the folder that the operation needs, and tell if it stops answering."""
        self._watch.follow(folder)
        operation.finished.connect(partial(self._watch.leave, folder))

    def _over(self) -> None:
        super()._over()
        self._is_importing = False

    def _on_exported(self, outcome: "ExportOutcome") -> None:
        show = partial(self.show_findings, outcome.findings, None if outcome.is_written else outcome.request)
        self.exported.emit(outcome)
        if outcome.in_the_way:
            self.ask_to_replace(outcome)
            return
        if not outcome.is_written:
            count = sum(finding.is_error for finding in outcome.findings)
            detail = f"{count_of(count, 'object')} would be refused or misread by other programs."
            self.told.emit(Message("Nothing was exported yet", detail, "warning", "Show", show))
            return
        written = f"{count_of(outcome.image_count, 'image')}, {count_of(outcome.instance_count, 'object')}"
        detail = f"{written} in {outcome.request.path}"
        if outcome.findings:
            self.told.emit(Message("The file differs from the project", detail, "error", "Show", show))
            return
        if outcome.verified:
            detail += f". {outcome.verified[0].upper()}{outcome.verified[1:]}"
        if outcome.losses:
            detail += f". Not written: {', '.join(outcome.losses)}"
        self.told.emit(Message("Annotations exported", f"{detail}."))

    def ask_to_replace(self, outcome: "ExportOutcome") -> QMessageBox:
        """Ask before an existing file is replaced."""
        request = outcome.request
        box = QMessageBox(QMessageBox.Icon.Question, "Export annotations", f"Replace {request.path.name}?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setParent(self._window, box.windowFlags())
        what = f"{request.path.parent} already contains {outcome.in_the_way}."
        if outcome.is_own:
            what += " It was exported from this project; from now on it is replaced without asking."
        elif request.path.is_dir():
            what += " Files with the same names will be replaced; others stay."
        box.setInformativeText(what)
        replace_it = box.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
        elsewhere = box.addButton("Choose another place…", QMessageBox.ButtonRole.ActionRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(replace_it if outcome.is_own else elsewhere)  # an accidental Enter must not replace a file
        replace_it.clicked.connect(lambda: self.export(replace(request, may_replace=True)))
        elsewhere.clicked.connect(lambda: self.open_export())
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _on_all_done(self) -> None:
        self.told.emit(Message("All images are done", "", "info", "Export…", self.open_export))

    def _show_imported(self) -> None:
        self._session.refresh()
        self._images.refilter()
        if self._session.image is None:
            self._images.show_first()

    def _on_imported(self, outcome: "Imported") -> None:
        self._show_imported()
        self.imported.emit()
        result = outcome.result
        counted = f"{count_of(result.instance_count, 'object')} on {count_of(result.image_count, 'image')}"
        detail = f"{counted}: {result.news}." if result.news else f"{counted}."
        if outcome.notes:
            detail += f" {outcome.notes[0]}" + (f" (and {len(outcome.notes) - 1} more)" if outcome.notes[1:] else "")
        self.told.emit(Message("Annotations imported", detail, "warning" if outcome.notes else "info"))
