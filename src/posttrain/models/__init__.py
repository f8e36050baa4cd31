"""Language models on flat tokens: attention layouts, heads, adapters, loading and saving."""
