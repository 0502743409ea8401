"""Where log messages go: the standard error of the terminal, warnings of libraries included."""

import logging


def start_logging(verbosity: int = 0) -> None:
    """0: warnings; 1: what a user would care about; 2 and above: what a developer would."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)]
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    logging.captureWarnings(True)
    # Damaged EXIF and the like: said of metadata that nobody needs, about images that are fine.
    logging.getLogger("py.warnings").setLevel(logging.ERROR if verbosity < 2 else logging.DEBUG)
    for library in ("PIL", "tifffile", "alembic"):
        logging.getLogger(library).setLevel(logging.ERROR if verbosity < 2 else logging.INFO)
