"""The suites that ship, one function a file: `false_belief` is the function of suites/false_belief.py."""
