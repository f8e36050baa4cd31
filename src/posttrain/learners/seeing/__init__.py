"""Rewards of what is seen: states as pictures and captions, encoders of both, and preferences between them."""
