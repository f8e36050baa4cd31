"""Prompts that are searched, edited and compared: what is asked of whom, edits, budgets, rewrites and roles."""
