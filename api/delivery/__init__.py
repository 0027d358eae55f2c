"""Tells subscribers of alerts: fan-out from the outbox, queues in order, webhooks, mail, chat."""
