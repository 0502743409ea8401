"""Learning a user's own classes from what was corrected: plan, learn in a process of its own, judge, install.

Only `worker.py` and what it loads need PyTorch (extra `learn`), in the process that learns. Nothing else in the
package may import that process's modules: the window asks through `plan.py` and `learn.py`.
"""
