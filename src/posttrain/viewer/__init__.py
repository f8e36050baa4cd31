"""What a person sees while a run goes on: the live view, or plain lines."""
