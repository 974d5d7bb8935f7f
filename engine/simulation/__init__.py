"""The whole office under another clock: demo province, scenarios."""
