"""What changes a finished method without editing its file."""
