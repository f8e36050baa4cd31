"""Sample answers from models: the native engine, and the distributions that tokens are drawn from."""
