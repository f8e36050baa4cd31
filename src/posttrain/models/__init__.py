"""Language models on flat tokens: attention layouts, heads, LoRA adapters, loading and saving."""
