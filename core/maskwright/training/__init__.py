"""Trains small instance segmentation networks from a COCO file; needs the optional extra `train` (PyTorch).

Nothing else in the package may import this one: inference and editing have to work without PyTorch."""
