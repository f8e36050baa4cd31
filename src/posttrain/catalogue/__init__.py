"""Finds methods, procedures and tasks by path; configures and explains them."""
