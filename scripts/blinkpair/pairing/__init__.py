"""The same nanocrystals in both epochs, and what refuses a field."""
