"""The process of an engine: it draws tokens, and the trainer decides where answers end."""
