"""OpenAI's chat protocol: the requests of an agent, the answers that it gets, and the server between them."""
