"""Official warnings in: CAP messages of any agency and rows of the national list of warnings."""
