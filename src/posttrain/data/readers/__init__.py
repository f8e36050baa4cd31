"""Rows of files and of the hub, whatever their format."""
