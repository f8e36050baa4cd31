"""Code that runs inside the sandbox. It is sent there as text and imports nothing but the standard library."""
