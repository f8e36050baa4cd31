"""Feedback files: what people (or judges) said about answers, one act a line, and the rows that methods read of it."""
