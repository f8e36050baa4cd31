"""A sampler that draws answers with vLLM, in a process of its own that may have another Python."""
