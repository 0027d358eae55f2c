"""Rule sets of a city as files: read, check, try, explain, compare, put into force."""
