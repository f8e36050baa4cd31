"""The language of methods: parts, records of formulas, the planner, flat tensors and the one reduction."""
