"""Events that programs follow: cursors, the shared look at what is new, streams."""
