"""SAM and its descendants through OpenVINO, each as an encoder and a decoder file."""
