"""Evaluation of predictions with pycocotools."""

from maskwright.evaluation.figures import EvaluationReport
from maskwright.evaluation.model_run import evaluate_model
from maskwright.evaluation.predictions import evaluate_predictions, evaluate_project

__all__ = ["EvaluationReport", "evaluate_model", "evaluate_predictions", "evaluate_project"]
