"""Attacks, leaks and goals that nobody gave. What is forbidden in them is synthetic: passwords and made-up texts."""
