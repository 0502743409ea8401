"""The list of objects keeps up with what happens to them."""

from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright_gui.panels.instance_model import InstanceModel
from project_builders import drawn


def test_objects_that_go_together_leave_no_moment_with_a_row_of_none(qtbot: QtBot) -> None:
    instances = [drawn(id_) for id_ in range(1, 6)]
    document = Document.of(1, (640, 480), instances)
    model = InstanceModel()
    model.set_document(document)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.QtTest)
    removal = Change.delete(instances[1:4])

    model.apply_change(removal, document.apply(removal))
    model.apply_change(removal.inverse(), document)

    assert [model.id_at(row) for row in range(model.rowCount())] == [1, 2, 3, 4, 5]
    assert tester.model() is model
