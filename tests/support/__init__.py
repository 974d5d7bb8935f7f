"""What tests build with: a real PostgreSQL, a clock that moves, actors and offices."""
