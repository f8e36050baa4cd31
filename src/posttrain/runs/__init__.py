"""What a run leaves on disk and shows on the terminal: metrics, samples, checkpoints, the live view."""
