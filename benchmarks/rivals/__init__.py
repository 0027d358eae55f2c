"""The same small task on other engines, one file each, as a good user of that engine writes it.

They run in a virtual environment of their own (`benchmarks.side_by_side`) and import nothing of
citybrain but this folder.
"""
