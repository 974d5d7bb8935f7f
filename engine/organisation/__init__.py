"""Units, positions, people, appointments and delegations: who may do what, today."""
