"""Maskwright without its window: pre-label images, turn masks into exact polygons, read and write COCO.

    import maskwright as mw

    model = mw.load_model("nuclei")
    for instance in model.predict(image_bgr_u8).select(score=0.5):
        print(instance.category_name, instance.score, instance.polygons)

The names below are stable; they are imported when first used, so that `import maskwright` costs nothing.
"""

from typing import TYPE_CHECKING

from maskwright._version import __version__
from maskwright.lazy import attributes_of
from maskwright.privacy import switch_off_telemetry

if TYPE_CHECKING:
    from maskwright.assist.loading import load_assistant
    from maskwright.assist.outline import Outline
    from maskwright.document.values import Category, ImageRecord, Instance
    from maskwright.errors import FormatError, ImageError, InputError, MaskwrightError, ModelError, ProjectError
    from maskwright.geometry.convert import mask_to_polygons
    from maskwright.geometry.polygon import Polygon
    from maskwright.geometry.raster import polygons_to_mask
    from maskwright.inference.candidates import Candidates
    from maskwright.inference.model import Model, load_model
    from maskwright.inference.prediction import Prediction
    from maskwright.learning.events import LearnProgress
    from maskwright.learning.learn import LearnOutcome, learn
    from maskwright.learning.plan import LearningPlan, LearnOptions, learning_plan
    from maskwright.operations.exchange import check, convert, evaluate, export_annotations, import_annotations
    from maskwright.project.store import Project
    from maskwright.proposal import Proposal

switch_off_telemetry()

_HOME = {
    "Candidates": "maskwright.inference.candidates",
    "Category": "maskwright.document.values",
    "FormatError": "maskwright.errors",
    "ImageError": "maskwright.errors",
    "ImageRecord": "maskwright.document.values",
    "InputError": "maskwright.errors",
    "Instance": "maskwright.document.values",
    "LearnOptions": "maskwright.learning.plan",
    "LearnOutcome": "maskwright.learning.learn",
    "LearnProgress": "maskwright.learning.events",
    "LearningPlan": "maskwright.learning.plan",
    "MaskwrightError": "maskwright.errors",
    "Model": "maskwright.inference.model",
    "ModelError": "maskwright.errors",
    "Outline": "maskwright.assist.outline",
    "Polygon": "maskwright.geometry.polygon",
    "Prediction": "maskwright.inference.prediction",
    "Project": "maskwright.project.store",
    "ProjectError": "maskwright.errors",
    "Proposal": "maskwright.proposal",
    "check": "maskwright.operations.exchange",
    "convert": "maskwright.operations.exchange",
    "evaluate": "maskwright.operations.exchange",
    "export_annotations": "maskwright.operations.exchange",
    "import_annotations": "maskwright.operations.exchange",
    "learn": "maskwright.learning.learn",
    "learning_plan": "maskwright.learning.plan",
    "load_assistant": "maskwright.assist.loading",
    "load_model": "maskwright.inference.model",
    "mask_to_polygons": "maskwright.geometry.convert",
    "polygons_to_mask": "maskwright.geometry.raster",
}

__all__ = [
    "Candidates",
    "Category",
    "FormatError",
    "ImageError",
    "ImageRecord",
    "InputError",
    "Instance",
    "LearnOptions",
    "LearnOutcome",
    "LearnProgress",
    "LearningPlan",
    "MaskwrightError",
    "Model",
    "ModelError",
    "Outline",
    "Polygon",
    "Prediction",
    "Project",
    "ProjectError",
    "Proposal",
    "__version__",
    "check",
    "convert",
    "evaluate",
    "export_annotations",
    "import_annotations",
    "learn",
    "learning_plan",
    "load_assistant",
    "load_model",
    "mask_to_polygons",
    "polygons_to_mask",
]


__getattr__ = attributes_of(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
