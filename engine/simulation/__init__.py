"""The whole office with another clock: scenarios played by its own commands, and the demonstration province."""

MADE = "demonstration.made"
"""The journal's fact that says a demonstration is finished."""
ACCOUNTS = "demo_accounts.txt"
"""The file in the home that tells how to sign in to it."""
