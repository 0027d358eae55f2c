"""What people look at: dashboards as code. Never meets `api` or `sensors`."""
