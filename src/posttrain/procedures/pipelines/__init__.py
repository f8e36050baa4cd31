"""Several stages one after another, each with a method of its own."""
