"""The pipeline from a folder of images to proposals in the store."""
