"""The annotations of one image as frozen values, and the reversible changes between them."""
