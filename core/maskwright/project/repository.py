"""What the parts of a project have in common."""

from maskwright.project.database import Database


class Repository:
    """A part of a project. Its methods may be called from any thread and raise ProjectError as `Database` does."""

    def __init__(self, database: Database) -> None:
        self._database = database
