"""Language models that write programs and settings for small learners, or say what their episodes are worth."""
