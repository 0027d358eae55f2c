"""The Plan's indicators: catalogue, periods, and exact arithmetic of targets and progress.

Facts are computed elsewhere (`streams.region`, the domains); nothing here does I/O.
"""
