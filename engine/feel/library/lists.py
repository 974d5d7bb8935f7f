"""Built-in functions of this group."""
