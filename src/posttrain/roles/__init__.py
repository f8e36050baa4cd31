"""Text roles: models with tokenizers of their own, in this process or behind a server, that are asked in text."""
