"""`python -m maskwright.training ...`; says what to install if PyTorch is missing."""

import sys
from importlib.util import find_spec

if find_spec("torch") is None:
    sys.exit('error: training needs PyTorch (pip install "maskwright[train]")')

from maskwright.training.command import main

if __name__ == "__main__":
    main()
