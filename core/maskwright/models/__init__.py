"""Where models come from: the catalogue, downloads, and conversion of users' own files."""
