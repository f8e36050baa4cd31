"""The sections of a run file, one file each: its keys, their types and defaults, and one sentence about each."""
