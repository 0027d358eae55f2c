"""Registry files at the edge: CSV and GeoJSON of points and sensors, read, checked and written.

Positions become WGS-84 here, retired codes become those in force, and every row is taken or
refused with a reason. Knows nothing of databases: storing a version is `streams.storage.registry`.
"""
