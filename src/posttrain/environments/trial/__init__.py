"""Trials of an environment, before a model plays it: actions, good and hostile, and checks of what comes back."""
