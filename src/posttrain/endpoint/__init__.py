"""A client for servers that speak OpenAI's protocol: deadlines, retries, budgets, a cache, checked replies."""
