"""SAM and its descendants, each as an encoder and a decoder file, through OpenVINO."""
