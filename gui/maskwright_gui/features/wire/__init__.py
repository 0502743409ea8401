"""Draw along edges: from click to click the line finds its way by itself."""
