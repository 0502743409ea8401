"""Judging predictions with pycocotools."""

from maskwright.evaluation.model_run import evaluate_model
from maskwright.evaluation.of_project import evaluate_project
from maskwright.evaluation.predictions import evaluate_predictions
from maskwright.evaluation.report import EvaluationReport

__all__ = ["EvaluationReport", "evaluate_model", "evaluate_predictions", "evaluate_project"]
