"""Tests of procedures that search and learn to search."""
