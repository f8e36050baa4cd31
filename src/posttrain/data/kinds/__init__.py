"""Kinds of records, one file each: how a row of a file is read, and which rows of tokens it becomes."""
