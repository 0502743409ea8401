"""Everything that runs beside the GUI thread. Results return as signals that carry values."""
