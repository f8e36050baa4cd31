"""The DPO family: learning directly from preferences."""
