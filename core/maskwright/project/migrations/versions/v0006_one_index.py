"""One index of the instances, ordered by image, that answers every search by itself."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_instances_search", table_name="instances")
    op.drop_index("ix_instances_image", table_name="instances")
    columns = ["image_id", "category_id", "state", "score", "provenance_id"]
    op.create_index("ix_instances_image", "instances", columns, unique=False)
