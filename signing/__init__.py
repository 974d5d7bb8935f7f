"""What mathematics guarantees: prepare, finish, verify. Imports nothing else of ours."""
