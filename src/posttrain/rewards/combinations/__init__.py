"""The ways to combine several rewards, one function a file: `worst` is worst in combinations/worst.py."""
