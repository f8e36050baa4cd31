"""Tools: their schemas, the calls that a policy writes, and what comes back."""
