"""Learning from rewards of one's own samples: policy gradients."""
