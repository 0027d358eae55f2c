"""Alerts of any domain: rules with hysteresis, their lifecycle, their identity."""
