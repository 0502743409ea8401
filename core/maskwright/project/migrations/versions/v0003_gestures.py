"""What each step cost the user; for earlier steps, the time since the one before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("history", sa.Column("clicks", sa.Integer(), nullable=True))
    op.add_column("history", sa.Column("keys", sa.Integer(), nullable=True))
    op.add_column("history", sa.Column("active_s", sa.Float(), nullable=True))
    op.create_table(
        "image_looks",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("keys", sa.Integer(), nullable=False),
        sa.Column("active_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.execute(
        "WITH gaps AS (SELECT id, (julianday(at) - julianday(lag(at) OVER (ORDER BY id))) * 86400.0 AS seconds"
        " FROM history WHERE kind <> 'proposals') "
        "UPDATE history SET active_s = min(max(coalesce(gaps.seconds, 30.0), 0.0), 30.0) "
        "FROM gaps WHERE gaps.id = history.id"
    )
