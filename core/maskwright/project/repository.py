"""What the parts of a project share."""

from maskwright.project.database import Database


class Repository:
    """A part of a project. Its methods are thread-safe and raise ProjectError as `Database` does."""

    def __init__(self, database: Database) -> None:
        self._database = database
