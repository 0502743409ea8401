"""When a user last changed an instance; recorded from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instances", sa.Column("edited_at", sa.Text(), nullable=True))
