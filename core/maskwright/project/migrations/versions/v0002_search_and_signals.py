"""Search by class, state and score without reading outlines; numbers that order images for review."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_instances_category", table_name="instances")
    op.create_index("ix_instances_search", "instances", ["category_id", "state", "score", "image_id"], unique=False)
    op.create_table(
        "signals",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("name", "image_id"),
    )
