"""Judging predictions with pycocotools."""
