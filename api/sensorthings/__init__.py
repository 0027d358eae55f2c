"""OGC SensorThings 1.1 (18-088), sensing, read-only: what is asked, what it means, how it looks."""
