"""The forms in which families of models write calls of tools, one a file: a function `read` finds them in a text."""
