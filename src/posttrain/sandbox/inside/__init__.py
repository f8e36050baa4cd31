"""What runs inside the sandbox. These files are sent there as text and import the standard library alone."""
