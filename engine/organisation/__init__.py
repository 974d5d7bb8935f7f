"""Who works where, and who may do what today: units, positions, dated appointments and delegations."""
