"""Rows of files in any known format, and of datasets on the hub."""
