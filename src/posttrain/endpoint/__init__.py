"""A client for servers with OpenAI's protocol: deadlines, retries, budgets, a cache, validated replies."""
