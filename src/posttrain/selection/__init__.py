"""What to learn from: which answers, pairs and rankings, of which prompts."""
