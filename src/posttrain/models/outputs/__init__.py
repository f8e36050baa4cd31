"""Outputs of a network, one file each: what a Source may name."""
