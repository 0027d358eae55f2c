"""Dashboards for Grafana, made from what the domains say of themselves (docs/dashboards.md)."""
