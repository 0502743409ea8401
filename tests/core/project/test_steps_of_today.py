"""Steps are counted from a moment on, without reading those before."""

from pathlib import Path

from maskwright.document.change import Change
from maskwright.document.values import ImageRecord
from maskwright.project import Project
from project_builders import drawn, square


def test_steps_are_counted_from_a_moment_on(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path) as project:
        project.images.add([ImageRecord(0, name, 64, 48) for name in ("a.png", "b.png")])
        project.categories.add("cell")
        for image_id, label in ((1, "Draw"), (1, "Draw"), (2, "Paint"), (1, "Draw")):
            id_ = project.instances.reserve_ids(1)[0]
            project.instances.apply(image_id, Change.create([drawn(id_, square())]), label=label)
        with project._database.write() as connection:
            for id_ in range(1, 5):
                connection.exec_driver_sql(
                    f"UPDATE history SET at = '2026-01-0{id_}T00:00:00.000+00:00' WHERE id = {id_}"
                )
        found = project.history.counts_since("2026-01-02T00:00:00.000+00:00")
    assert [(each.file_name, each.label, each.count) for each in found] == [("a.png", "Draw", 2), ("b.png", "Paint", 1)]
    assert found[0].last_at.startswith("2026-01-04")
