"""Small pure formulas: divergence estimators and statistics of groups."""
