"""Learning from scored answers that were written by others."""
