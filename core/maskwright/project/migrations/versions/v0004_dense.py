"""Outlines with all their detail, beside the simplified ones."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instances", sa.Column("dense", sa.LargeBinary(), nullable=True))
