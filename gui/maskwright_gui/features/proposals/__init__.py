"""The answers to what the model proposes."""
