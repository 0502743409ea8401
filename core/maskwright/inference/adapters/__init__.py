"""One file per model family: recognise the tensors, prepare the input, decode the output."""
