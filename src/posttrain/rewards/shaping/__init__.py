"""What a run file makes of its rewards before a method trains on them: transforms of each, and how they combine."""
