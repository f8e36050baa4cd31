"""Models of one architecture that become one: averages of their weights, tensor by tensor."""
