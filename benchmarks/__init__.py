"""Measurements, apart from the tests: they state machine, method and spread, and never assert."""
