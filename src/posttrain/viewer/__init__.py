"""The display of a run: a live view in a terminal, plain lines elsewhere."""
