"""A tour of the samples: five steps, each over when it has been done."""
