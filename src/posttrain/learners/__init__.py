"""Small learners for worlds that are not text, and the language models that help them."""
