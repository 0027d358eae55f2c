"""One module per resource: thin routes and the shapes of their answers."""
