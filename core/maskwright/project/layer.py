"""The part of a project that takes a model's output, as a layer under a person's work."""

from collections.abc import Sequence
from dataclasses import replace

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Provenance
from maskwright.project.aliases import read_aliases
from maskwright.project.database import Database
from maskwright.project.instances import read_instances, reserve_ids, touch_image, write_change, write_history
from maskwright.project.proposals import Proposal, proposals_to_change
from maskwright.project.runs import Run, mark_image, read_run


class ProposalLayer:
    """Proposals of a project. May be called from any thread and raises ProjectError as `Database` does."""

    _database: Database

    def put_proposals(
        self,
        image_id: int,
        proposals: Sequence[Proposal],
        *,
        run_id: int | None = None,
        seconds: float | None = None,
        provenance: Provenance | None = None,
    ) -> Change:
        """Replace the image's open proposals; a person's instances, rejected ones included, stay as they are.

        Returns what changed. An unseen image becomes "pre-labelled". With `run_id` the image is marked as done by that
        run in the same transaction, so that no image is ever done twice; otherwise `provenance` names the model.
        """
        with self._database.write(is_repeatable=True) as connection:
            run = read_run(connection, run_id) if run_id is not None else None
            ids = reserve_ids(connection, len(proposals)) if proposals else range(0)
            existing = read_instances(connection, image_id)
            aliases = read_aliases(connection)
            proposals = [replace(one, category_id=aliases.get(one.category_id, one.category_id)) for one in proposals]
            change = proposals_to_change(existing, proposals, _provenance(run) or provenance, ids)
            if not change.is_empty:
                write_change(connection, image_id, change, stored=existing)
                write_history(connection, image_id, change, label="Pre-label", kind="proposals")
            touch_image(connection, image_id, was=(ImageState.UNSEEN,), becomes=ImageState.PRELABELLED)
            if run is not None:
                mark_image(connection, run.id, image_id, seconds=seconds, failure=None)
        return change


def _provenance(run: Run | None) -> Provenance | None:
    if run is None:
        return None
    settings = run.settings
    score, nms_iou = settings.get("score") or 0.0, settings.get("nms_iou") or 0.0
    mask_threshold, min_iou = settings.get("mask_threshold"), settings.get("min_iou", 0) or 1.0
    return Provenance(
        run.model_name, run.model_hash, float(score), float(nms_iou), run.started_at, mask_threshold,
        float(min_iou) if "min_iou" in settings else None,
    )  # fmt: skip
