"""What people and programs change: their own tables, each change in the audit."""
