"""The small parts of a batch."""

from pathlib import Path

import pytest

from maskwright.errors import ModelError
from maskwright.inference.labels import ModelCategory
from maskwright.prelabel import category_ids
from maskwright.prelabel.progress import RateMeter
from maskwright.prelabel.stages import PixelBudget, Queue, UpcomingRecords
from project_builders import make_project

LABELS = (ModelCategory(1, "person"), ModelCategory(17, "Cat"))


def test_classes_are_chosen_by_name_or_number() -> None:
    assert category_ids(["cat", "1", " CAT "], LABELS) == (1, 17)


def test_an_unknown_class_names_itself_and_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no class dog .*person, Cat"):
        category_ids(["cat", "dog"], LABELS)


def test_the_queue_hands_out_each_id_once_and_the_wanted_one_first() -> None:
    wanted = iter([3, 3, 99])
    queue = Queue([1, 2, 3, 4], lambda: next(wanted, None))

    assert [queue.take() for _ in range(6)] == [3, 1, 2, 4, None, None]


def test_records_are_read_together_and_again_after_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_project(tmp_path, images=6) as project:
        queue, now, reads = Queue(project.images.ids().tolist(), lambda: None), [0.0], []
        read = project.images.records
        monkeypatch.setattr(project.images, "records", lambda ids: reads.append(len(ids)) or read(ids))
        records = UpcomingRecords(project, queue, lambda: now[0])

        first, second = (records.take(queue.take() or 0).file_name for _ in range(2))
        assert reads == [6]
        project.image_folder.relocate({3: "moved.png"})
        now[0] = 2.0

        assert records.take(queue.take() or 0).file_name == "moved.png"
        assert reads == [6, 4]
        assert (first, second) == tuple(record.file_name for record in read([1, 2]))


def test_the_budget_lets_one_too_large_image_through_alone() -> None:
    budget = PixelBudget(100)

    assert budget.acquire(500, timeout_s=0)
    assert not budget.acquire(1, timeout_s=0)
    budget.release(500)
    assert budget.acquire(60, timeout_s=0)
    assert budget.acquire(40, timeout_s=0)
    assert not budget.acquire(1, timeout_s=0)


def test_the_rate_leaves_out_the_start_and_pauses() -> None:
    times = iter([0.0, 30.0, 30.5, 31.0, 631.0])
    meter = RateMeter(lambda: next(times))
    meter.tick()
    assert meter.images_per_s is None

    meter.tick()
    meter.tick()
    assert meter.images_per_s == pytest.approx(2.0)
    assert meter.eta_s(10) == pytest.approx(5.0)

    meter.tick()
    assert meter.images_per_s == pytest.approx(3 / 11)
