"""What an answer is worth: reward functions, and the processes that run them. A failure is never a score."""
