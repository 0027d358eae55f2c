"""What the API reads: named SQL, typed rows. Nothing else in this room knows the database."""
