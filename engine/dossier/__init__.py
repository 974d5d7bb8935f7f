"""The dossier itself: records, lifecycle, checklist, codes, fees, statuses."""
