"""Execution plans on a simulated cluster: which devices run which call of a step, and what that costs."""
