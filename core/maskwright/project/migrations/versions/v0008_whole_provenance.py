"""Mask threshold and detail of each proposal; instances can be searched by when a user changed them.

The provenance table has one row per run and slider move, so rebuilding it takes no time, and the instances stay as they
are. Earlier proposals keep the provenance that the history has: without these two."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KNOWN = "id, model_name, model_hash, score_threshold, nms_iou, created_at"


def upgrade() -> None:
    op.execute(f"CREATE TEMPORARY TABLE known_provenances AS SELECT {_KNOWN} FROM provenances")
    op.drop_table("provenances")
    op.create_table(
        "provenances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("model_hash", sa.Text(), nullable=False),
        sa.Column("score_threshold", sa.Float(), nullable=False),
        sa.Column("nms_iou", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("mask_threshold", sa.Float(), nullable=True),
        sa.Column("min_iou", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "model_name", "model_hash", "score_threshold", "nms_iou", "created_at", "mask_threshold", "min_iou"
        ),
    )
    op.execute(f"INSERT INTO provenances ({_KNOWN}) SELECT {_KNOWN} FROM known_provenances")
    op.execute("DROP TABLE known_provenances")
    is_touched = sa.text("edited_at IS NOT NULL")
    op.create_index("ix_instances_edited", "instances", ["edited_at", "image_id"], sqlite_where=is_touched)
