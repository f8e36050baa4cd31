"""Offline reinforcement learning: from scored answers of any origin."""
