"""Domains outside the project, each a folder: what a city that adds its own would write."""
