"""Loops over models and data in terms of the verbs of a session. One short file for each procedure."""
