"""Alembic scripts of the project database, one file per schema version."""
