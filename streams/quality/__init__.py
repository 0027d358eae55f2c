"""QARTOD checks on columns: what a reading is worth."""
