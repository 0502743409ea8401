"""The project store: one SQLite file per data set, with every change journalled and no user work ever lost."""

from maskwright.project.images import InstanceSearch, Span
from maskwright.project.proposals import ModelProposal
from maskwright.project.runs import Run, RunFailure
from maskwright.project.scan import ScannedImage, scan_folder
from maskwright.project.snapshot import snapshot
from maskwright.project.store import Project, find_project

__all__ = [
    "InstanceSearch",
    "ModelProposal",
    "Project",
    "Run",
    "RunFailure",
    "ScannedImage",
    "Span",
    "find_project",
    "scan_folder",
    "snapshot",
]
