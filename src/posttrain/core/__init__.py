"""The language of methods: parts, methods as data, the planner, flat batches and the reduction of losses."""
