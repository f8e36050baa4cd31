"""Rewards that are programs: written by a model, read in a sandbox, tried by a small learner."""
