"""Trains a model of the user's own classes on what was corrected: plan, train in a separate process, evaluate, install.

Only `worker.py` and what it imports need PyTorch (extra `learn`), in that process. Nothing else in the package may
import the process's modules: the window uses `plan.py` and `learn.py`."""
