"""Implementations of the Backend protocol; the only home of distributed imports."""
