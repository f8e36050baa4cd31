"""Procedures that learn how far each annotator can be believed."""
