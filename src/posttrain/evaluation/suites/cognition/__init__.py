"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): experiments as chats."""
