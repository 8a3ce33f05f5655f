"""The reference page, made from the code. Never installed."""
