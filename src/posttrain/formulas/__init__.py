"""The formulas of the literature: losses and credit, as pure functions."""
