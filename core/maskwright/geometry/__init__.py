"""Polygons with holes on pixel edges: tracing, simplifying, rasterising, algebra."""
