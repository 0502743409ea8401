"""The sample project: micrograph-like scenes with exact ground truth, made by a seeded generator."""
