"""What goes wrong in runs, found in their metrics and samples: pure functions that return findings."""
