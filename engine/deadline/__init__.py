"""The statutory clock: pure functions from a received instant, a term and a calendar to a due instant."""
