"""Models of reward."""
