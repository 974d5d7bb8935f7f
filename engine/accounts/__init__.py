"""Accounts of people who sign in: credentials, second factors, access tokens."""
