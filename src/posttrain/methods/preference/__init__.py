"""Learning from preferences, directly: the DPO family."""
