"""The MQTT door: readings that devices publish at an outside broker, 3.1.1 or 5."""
