"""Where models come from: the catalogue, downloads, and the conversion of files that people bring."""
