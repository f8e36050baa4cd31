"""Which answers and labels to ask for next."""
