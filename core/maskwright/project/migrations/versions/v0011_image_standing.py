"""Whether an image belongs to the set, is excluded from it, or removed from the list."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("images", sa.Column("standing", sa.Text(), nullable=False, server_default=sa.text("'listed'")))
