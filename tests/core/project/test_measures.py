"""Sizes and scores of all objects, for plots."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon as ShapelyPolygon

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright.project.measures import packed_areas
from maskwright.project.packing import pack_polygons
from project_builders import drawn, make_project, square


def test_every_object_but_the_rejected_is_measured(tmp_path: Path) -> None:
    with make_project(tmp_path, images=2) as project:
        small = replace(drawn(1, square(0, side=8)), score=0.25, state=InstanceState.PROPOSED)
        refused = replace(drawn(2, square(0, side=16)), state=InstanceState.REJECTED)
        project.instances.apply(1, Change.create([small, refused]), label="Draw")
        project.instances.apply(2, Change.create([drawn(3, square(0, side=4), category_id=2)]), label="Draw")
        record = project.images.record(1)
        measures = project.instances.measures()
    assert measures.category_ids.tolist() == [1, 2]
    assert measures.areas_px.tolist() == [64.0, 16.0]
    assert measures.scores[0] == pytest.approx(0.25)
    assert np.isnan(measures.scores[1])
    assert measures.shares[0] == pytest.approx(64 / (record.width * record.height))


def test_a_project_without_objects_has_no_measures(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        assert len(project.instances.measures()) == 0


def test_progress_may_stop_the_reading(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        raise InterruptedError(done)

    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        with pytest.raises(InterruptedError):
            project.instances.measures(stop)


def test_holes_are_taken_off_and_parts_added() -> None:
    ring = square(0, side=10).exterior
    with_hole = Polygon.of(ring, [square(2, side=3).exterior])
    assert packed_areas([pack_polygons([with_hole, square(50, side=2)])]).tolist() == [100 - 9 + 4]


def test_an_imported_annotation_keeps_the_area_of_its_file() -> None:
    from maskwright.project.packing import pack_record

    assert packed_areas([pack_record(b'{"area": 12.5}'), pack_record(b"{}")]).tolist() == [12.5, 0.0]


triangles = st.lists(
    st.tuples(*[st.tuples(st.integers(0, 4000), st.integers(0, 4000)) for _ in range(3)]), min_size=1, max_size=8
)


@given(triangles, st.sampled_from([1.0, 0.25, 100.0]))
def test_areas_are_those_of_shapely(rings: list[tuple[tuple[int, int], ...]], scale: float) -> None:
    scaled = [np.array(ring, np.float64) * scale for ring in rings]
    packed = [pack_polygons([Polygon.of(ring)]) for ring in scaled]
    assert packed_areas(packed) == pytest.approx([ShapelyPolygon(ring).area for ring in scaled])
