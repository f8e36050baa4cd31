"""Decoders, one file each: `--decoder dera` is the function dera in decoders/dera.py."""
