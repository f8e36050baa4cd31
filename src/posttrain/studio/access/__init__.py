"""Who may see and do what: links that work once, accounts, sessions, and the guard in front of every page."""
