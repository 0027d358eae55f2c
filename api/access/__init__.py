"""Who may: roles and scopes, what each route needs, and the check before each route."""
