"""Loops over models and data, in terms of the session's verbs. One short file each."""
