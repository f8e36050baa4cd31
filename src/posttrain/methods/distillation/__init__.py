"""Learning from what a teacher says of every token."""
