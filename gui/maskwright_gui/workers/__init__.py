"""Everything that runs beside the GUI thread; results come back as signals that carry values."""
