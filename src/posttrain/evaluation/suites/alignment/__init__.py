"""What alignment does to a model: diversity, attractors, style and biases."""
