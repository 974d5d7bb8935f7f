"""Background work: outbox delivery, due sweep, rescue, daily seal."""
