"""What a model knows and can do: reasoning, reading minds, calibration, generalisation, and how prompts change it."""
