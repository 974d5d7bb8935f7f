"""One function, one thing a screen shows."""
