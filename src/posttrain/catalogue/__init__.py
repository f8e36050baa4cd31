"""The catalogue: finds methods, procedures and tasks by path, configures and explains them."""
