"""What `import maskwright` offers of this package, in one place."""

from maskwright.inference.candidates import Candidates
from maskwright.inference.labels import ModelCategory
from maskwright.inference.model import Model, load_model
from maskwright.inference.prediction import Prediction

__all__ = ["Candidates", "Model", "ModelCategory", "Prediction", "load_model"]
