"""A simulated city: physics first, sensors after, faults last. Seeded: same seed, same bytes.

`sky` rains on `basin`s, `water` and `air` read them with gauges, `city` puts the readings
into frames, `faults` spoil them on request, `play` writes them to a log. Nothing here knows a
domain's rules, and everything it says carries the origin `simulated`.
"""
