"""The statutory clock: calendars, terms, suspensions and why a date is what it is; pure, no session, no clock of its own."""
