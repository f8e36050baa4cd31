"""Several stages in a row, each with its own method."""
