"""Policy gradients: learning from rewards of the policy's own samples."""
