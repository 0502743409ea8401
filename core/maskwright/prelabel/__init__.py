"""The pipeline from a folder of images to proposals in the store."""

from maskwright.prelabel.control import CancelToken
from maskwright.prelabel.mapping import guess_mapping, project_categories, store_mapping, stored_mapping
from maskwright.prelabel.pipeline import BatchReport, resumable_run, run_batch
from maskwright.prelabel.progress import Progress
from maskwright.prelabel.proposing import candidates_to_proposals, prelabel_one
from maskwright.prelabel.settings import PrelabelSettings, category_ids

__all__ = [
    "BatchReport",
    "CancelToken",
    "PrelabelSettings",
    "Progress",
    "candidates_to_proposals",
    "category_ids",
    "guess_mapping",
    "prelabel_one",
    "project_categories",
    "resumable_run",
    "run_batch",
    "store_mapping",
    "stored_mapping",
]
