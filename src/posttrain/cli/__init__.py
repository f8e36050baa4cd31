"""The command line: thin functions, one file a command; nothing heavy is imported before a command runs."""
