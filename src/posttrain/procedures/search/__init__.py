"""Learning to search: a guide, a teacher or a ranking shows where to go."""
