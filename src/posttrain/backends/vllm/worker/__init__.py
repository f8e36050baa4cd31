"""The process of an engine: it draws tokens, and the trainer decides. Needs vLLM and torch, and nothing else of ours."""
