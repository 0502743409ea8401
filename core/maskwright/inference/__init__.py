"""From image pixels to candidates: runtime, model adapters, selection."""
