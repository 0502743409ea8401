"""The standing of a class: asked for by the user, found or only offered by a model, or deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("categories", sa.Column("standing", sa.Text(), nullable=False, server_default=sa.text("'kept'")))
