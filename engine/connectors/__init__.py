"""What keeps promises made to the outside: mail and other channels."""
