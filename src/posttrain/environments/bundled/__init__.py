"""The environments that ship, one class a file: `search` is the class Search of bundled/search.py."""
