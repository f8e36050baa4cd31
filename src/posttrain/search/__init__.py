"""Search over partial answers: trees of steps, the laws that choose where they grow, and strategies that grow them."""
