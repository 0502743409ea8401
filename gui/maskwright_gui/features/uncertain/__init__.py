"""The places of an image that a model is not sure about."""
