"""How things are shown: forms, lists, values, navigation."""
