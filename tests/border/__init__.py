"""The law of docs/border.md, against plain transformers: families of templates, kinds of tokenizers."""
