"""What the city means, and the workers that compute it."""
