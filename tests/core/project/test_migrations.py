"""The migration scripts and the tables that the code believes in are the same."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import maskwright.project.upgrade as upgrade
from maskwright.project.schema import metadata
from project_builders import make_project


def test_migrating_from_nothing_gives_the_schema_of_the_code(tmp_path: Path) -> None:
    with make_project(tmp_path) as project, project._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_script_is_a_known_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(upgrade.__file__).with_name("migrations")))
    scripts = ScriptDirectory.from_config(config)

    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == upgrade.REVISIONS
    assert scripts.get_current_head() == upgrade.REVISIONS[-1]
