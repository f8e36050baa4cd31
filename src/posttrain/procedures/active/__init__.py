"""Procedures that choose which answers and labels to ask for next."""
