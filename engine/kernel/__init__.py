"""What every command stands on: unit of work, journal, outbox, incidents, clock, database."""
