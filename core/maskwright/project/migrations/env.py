"""Alembic's entry: migrates the one connection that `maskwright.project.upgrade` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
