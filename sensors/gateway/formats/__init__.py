"""The formats that the gateway reads: one module each, bytes in, readings or refusals out."""
