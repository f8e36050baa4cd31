"""The run, its stages and the verbs of a session."""
