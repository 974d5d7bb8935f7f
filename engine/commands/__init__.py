"""One function, one thing the office can do."""
