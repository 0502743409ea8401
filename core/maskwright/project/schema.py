"""The tables of a project database, as the newest migration leaves them."""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", Integer, nullable=False),
)

images = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_name", Text, nullable=False, unique=True),  # relative to the image root, forward slashes
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'unseen'")),
    Column("instance_count", Integer, nullable=False, server_default=text("0")),  # all but rejected ones
    Column("extra", Text),  # JSON, NULL when empty
    Column("standing", Text, nullable=False, server_default=text("'listed'")),
    Index("ix_images_state", "state"),
)

categories = Table(
    "categories",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("supercategory", Text, nullable=False, server_default=text("''")),
    Column("colour", Text, nullable=False, server_default=text("''")),
    Column("extra", Text),
    Column("standing", Text, nullable=False, server_default=text("'kept'")),  # see categories.py
)

category_merges = Table(
    "category_merges",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("source_id", Integer, nullable=False),  # of a row that is no longer in categories
    Column("source", Text, nullable=False),  # JSON of that row
    Column("target_id", Integer, nullable=False),
    Column("moved", LargeBinary, nullable=False),  # ids of the instances, see merging.py
    Column("moved_count", Integer, nullable=False),
    Column("mapped", Text, nullable=False),  # JSON, see merging.py
    Column("after_history", Integer, nullable=False),  # the latest step made before
    Column("undone_at", Text),  # NULL while it stands
)

provenances = Table(
    "provenances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model_name", Text, nullable=False),
    Column("model_hash", Text, nullable=False),
    Column("score_threshold", Float, nullable=False),
    Column("nms_iou", Float, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("mask_threshold", Float),  # NULL, and so the next: made before these were kept
    Column("min_iou", Float),
    UniqueConstraint(
        "model_name", "model_hash", "score_threshold", "nms_iou", "created_at", "mask_threshold", "min_iou"
    ),
)

instances = Table(
    "instances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False),
    Column("category_id", Integer, ForeignKey("categories.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("score", Float),
    Column("provenance_id", Integer, ForeignKey("provenances.id")),
    Column("z", Integer, nullable=False, server_default=text("0")),
    Column("flags", Integer, nullable=False, server_default=text("1")),  # 1 visible, 2 locked, 4 crowd
    Column("polygons", LargeBinary, nullable=False),  # see packing.py
    Column("extra", Text),
    Column("dense", LargeBinary),  # see geometry/dense.py
    Column("edited_at", Text),  # ISO 8601, UTC; NULL where nobody has touched it
    # Answers every search by itself, image by image; half the work at import of one by image and one by class.
    Index("ix_instances_image", "image_id", "category_id", "state", "score", "provenance_id"),
    Index("ix_instances_edited", "edited_at", "image_id", sqlite_where=text("edited_at IS NOT NULL")),
)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("kind", Text, nullable=False),  # edit, undo, redo, proposals
    Column("label", Text, nullable=False),
    Column("change", LargeBinary, nullable=False),  # see journal.py
    Column("clicks", Integer),  # this and the next two: see gestures.py, NULL where they are not recorded
    Column("keys", Integer),
    Column("active_s", Float),
    Index("ix_history_image", "image_id", "id"),
)

image_looks = Table(
    "image_looks",
    metadata,
    Column("image_id", Integer, ForeignKey("images.id"), primary_key=True),
    Column("clicks", Integer, nullable=False),
    Column("keys", Integer, nullable=False),
    Column("active_s", Float, nullable=False),
)

signals = Table(
    "signals",
    metadata,
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("detail", Text),  # JSON
    PrimaryKeyConstraint("name", "image_id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model_name", Text, nullable=False),
    Column("model_hash", Text, nullable=False),
    Column("settings", Text, nullable=False),  # JSON
    Column("started_at", Text, nullable=False),
)

run_images = Table(
    "run_images",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False),
    Column("seconds", Float),
    Column("failure", Text),  # NULL: done
    PrimaryKeyConstraint("run_id", "image_id"),
)

file_ids = Table(
    "file_ids",
    metadata,
    Column("kind", Text, nullable=False),  # image, category, instance
    Column("id", Integer, nullable=False),
    Column("file_id", Integer, nullable=False),  # what the imported file calls it, see numbers.py
    PrimaryKeyConstraint("kind", "id"),
    sqlite_with_rowid=False,
)

edits_set_aside = Table(
    "edits_set_aside",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", Integer, nullable=False),  # of an image that need not be there
    Column("file_name", Text, nullable=False),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("kind", Text, nullable=False),  # edit, undo, redo
    Column("label", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("change", LargeBinary),  # see journal.py
    Column("state", Text),  # of the image
)
