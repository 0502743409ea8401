"""Alembic's entry point: migrates the connection passed by `maskwright.project.upgrade`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
