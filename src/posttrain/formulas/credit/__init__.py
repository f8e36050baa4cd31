"""Derived tensors: rewards per token, advantages, controllers. They see the whole batch and no gradient."""
