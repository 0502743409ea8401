"""Shape operations, copying and the drawing tools through the real window."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from canvas_support import square
from maskwright.document.change import Change
from maskwright.project.instances import InstanceRepository
from maskwright_gui.app import Workbench
from maskwright_gui.features.tools.feature import OWN_TOOLS, ToolEntry


@pytest.fixture
def drawn(opened: Workbench) -> Workbench:
    """Two overlapping squares on the first image, both selected."""
    session = opened.session
    category = session.project.stored.categories.add("cell")
    session.classes.reload()
    session.classes.set_current(category.id)
    ids = [session.new_instance_id() for _ in range(2)]
    places = [(5.0, 5.0), (15.0, 5.0)]
    made = [square(id_, at=at, side=20, category_id=category.id) for id_, at in zip(ids, places, strict=True)]
    session.edit(Change.create(made), "Draw")
    session.select(frozenset(ids))
    return opened


def at(bench: Workbench, x: float, y: float) -> QPoint:
    return QPoint(*map(round, bench.window.canvas.navigator.viewport.to_screen(x, y)))


def drag(bench: Workbench, *places: tuple[float, float]) -> None:
    canvas, points = bench.window.canvas, [at(bench, *place) for place in places]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(canvas, point)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])


def test_merge_by_key_and_undo(drawn: Workbench) -> None:
    canvas = drawn.window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_M)
    assert len(drawn.session.document) == 1
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(drawn.session.document) == 2


def test_operations_on_too_few_objects_say_so(drawn: Workbench, qtbot) -> None:
    drawn.session.select(frozenset(sorted(drawn.session.selection)[:1]))
    with qtbot.waitSignal(drawn.shapes.told):
        drawn.shapes.merge()
    assert len(drawn.session.document) == 2


def test_paste_on_the_next_image_is_in_place(drawn: Workbench, qtbot) -> None:
    original = drawn.session.selected_instances()
    drawn.shapes.copy()
    drawn.images.next_image()
    qtbot.waitUntil(lambda: drawn.images.on_screen == 2)
    drawn.shapes.paste()
    pasted = drawn.session.selected_instances()
    assert [one.polygons for one in pasted] == [one.polygons for one in original]
    assert not {one.id for one in pasted} & {one.id for one in original}


def test_duplicates_lie_beside_their_originals(drawn: Workbench) -> None:
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert len(drawn.session.document) == 4
    assert len(drawn.session.selection) == 2


@pytest.mark.parametrize("tool", OWN_TOOLS, ids=lambda tool: tool.id)
def test_every_tool_has_a_key_and_a_hint(drawn: Workbench, tool: ToolEntry) -> None:
    drawn.tools.use(tool.id)
    assert drawn.window.canvas.tool.name == tool.id
    assert drawn.window.canvas.hint
    assert tool.keys


def test_rectangle_by_key_and_mouse(drawn: Workbench) -> None:
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_R)
    drag(drawn, (40, 10), (50, 20), (60, 30))
    (new,) = drawn.session.selected_instances()
    assert new.vertex_count == 4


def test_brush_stroke_grows_the_selected_object(drawn: Workbench) -> None:
    (first, _) = sorted(drawn.session.selection)
    drawn.session.select(frozenset({first}))
    before = drawn.session.document[first]
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_B)
    drag(drawn, (10, 25), (12, 30), (14, 35))
    assert drawn.session.document[first].bounds_xyxy[3] > before.bounds_xyxy[3]


def test_simplify_shows_and_applies_by_enter(drawn: Workbench) -> None:
    drawn.session.select(frozenset())
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_O)
    drag(drawn, (34, 4), (50, 20), (62, 40))
    (ellipse,) = drawn.session.selected_instances()
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_S)
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_BracketLeft)
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_Return)
    assert drawn.session.document[ellipse.id].vertex_count < ellipse.vertex_count


def test_one_key_carries_the_selection_to_the_next_image(drawn: Workbench) -> None:
    original = drawn.session.selected_instances()
    QTest.keyClick(drawn.window.canvas, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert drawn.session.image.id == 2
    assert [one.polygons for one in drawn.session.selected_instances()] == [one.polygons for one in original]


def test_carrying_from_the_last_image_changes_nothing(drawn: Workbench) -> None:
    last = int(drawn.images.rows.ids[-1])
    drawn.shapes.copy()
    drawn.session.show_image(last)
    drawn.shapes.paste()
    count = len(drawn.session.document)
    drawn.shapes.copy_to_next_image()
    assert drawn.session.image.id == last
    assert len(drawn.session.document) == count


@pytest.mark.parametrize(
    ("action_id", "key"), [("delete", Qt.Key.Key_Delete), ("class_2", Qt.Key.Key_2), ("merge", Qt.Key.Key_M)], ids=str
)
def test_locked_objects_say_why_nothing_happens(drawn: Workbench, qtbot, action_id: str, key: Qt.Key) -> None:
    drawn.editing.toggle_locked()
    before = dict(drawn.session.document.instances)
    drawn.classes.add("debris")
    signal = drawn.shapes.told if action_id == "merge" else drawn.editing.told
    with qtbot.waitSignal(signal) as told:
        QTest.keyClick(drawn.window.canvas, key)
    assert told.args[0].text == "The selection is locked. L unlocks it."
    assert dict(drawn.session.document.instances) == before


def test_the_hovered_handle_follows_a_zoom_by_keys(drawn: Workbench, qtbot) -> None:
    canvas = drawn.window.canvas
    drawn.session.select(frozenset(sorted(drawn.session.selection)[:1]))
    QTest.mouseMove(canvas, at(drawn, 5, 5))
    assert canvas.tool.hint.startswith("Drag moves the vertex")
    canvas.navigator.zoom_in()
    canvas.navigator.zoom_in()
    qtbot.waitUntil(lambda: not canvas.tool.hint.startswith("Drag moves the vertex"))


def test_h_without_a_selection_brings_everything_hidden_back(drawn: Workbench) -> None:
    canvas = drawn.window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_H)
    drawn.editing.deselect()
    assert not any(instance.is_visible for instance in drawn.session.document)
    QTest.keyClick(canvas, Qt.Key.Key_H)
    assert all(instance.is_visible for instance in drawn.session.document)
    assert drawn.session.history.undo_label == "Show all"


def test_tab_walks_in_reading_order_and_back(drawn: Workbench) -> None:
    """Whatever was drawn first; hidden objects are passed over."""
    canvas, session = drawn.window.canvas, drawn.session
    category_id = session.classes.current_id
    ids = [session.new_instance_id() for _ in range(3)]
    places = [(40.0, 25.0), (40.0, 2.0), (2.0, 2.0)]
    made = [square(id_, at=at, side=8, category_id=category_id) for id_, at in zip(ids, places, strict=True)]
    session.select(frozenset(session.document.instances))
    drawn.editing.delete()
    session.edit(Change.create([*made, square(session.new_instance_id(), is_visible=False)]), "Draw")
    visited = []
    for _ in range(4):
        QTest.keyClick(canvas, Qt.Key.Key_Tab)
        visited.extend(session.selection)
    assert visited == [ids[2], ids[1], ids[0], ids[2]]
    QTest.keyClick(canvas, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert session.selection == {ids[0]}


def test_many_copies_take_their_ids_in_one_go(drawn: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = drawn.session
    category_id = session.classes.listed[0].id
    first = session.project.stored.instances.reserve_ids(600)
    session.edit(Change.create([square(id_, side=4, category_id=category_id) for id_ in first]), "Draw")
    session.select(frozenset(first))
    reserve, counts = InstanceRepository.reserve_ids, []
    monkeypatch.setattr(
        InstanceRepository, "reserve_ids", lambda own, count: counts.append(count) or reserve(own, count)
    )
    drawn.shapes.duplicate()
    assert (len(session.document), counts) == (1202, [600])


@pytest.mark.parametrize("chosen", [[0], [0, 1, 2, 5, 8, 9], [1, 3], list(range(10))], ids=str)
def test_the_list_selects_the_rows_of_the_selection(drawn: Workbench, chosen: list[int]) -> None:
    session, panel = drawn.session, drawn.objects.panel
    ids = [session.new_instance_id() for _ in range(10)]
    session.edit(Change.create([square(id_, category_id=session.classes.listed[0].id) for id_ in ids]), "Draw")
    session.select(frozenset(ids[place] for place in chosen))
    rows = panel.table.selectionModel().selectedRows()
    assert {panel.model.id_at(row.row()) for row in rows} == session.selection
