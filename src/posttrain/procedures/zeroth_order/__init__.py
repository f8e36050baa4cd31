"""Training without gradients."""
