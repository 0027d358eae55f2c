"""Our alerts as CAP 1.2 messages: the chain of an alert, each message, and the feed of them."""
