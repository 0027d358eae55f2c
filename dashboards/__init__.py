"""What people look at: the console and Grafana's dashboards as code. Uses the public API only."""
