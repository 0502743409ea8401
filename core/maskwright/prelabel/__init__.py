"""The pipeline from a folder of images to proposals in the store."""

from maskwright.monitor import CancelToken
from maskwright.prelabel.mapping import (
    category_ids,
    guess_mapping,
    project_categories,
    store_mapping,
    stored_mapping,
)
from maskwright.prelabel.pipeline import BatchReport, resumable_run, run_batch
from maskwright.prelabel.progress import Progress
from maskwright.prelabel.proposing import Proposer, prelabel_one

__all__ = [
    "BatchReport",
    "CancelToken",
    "Progress",
    "Proposer",
    "category_ids",
    "guess_mapping",
    "prelabel_one",
    "project_categories",
    "resumable_run",
    "run_batch",
    "store_mapping",
    "stored_mapping",
]
