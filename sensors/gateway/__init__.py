"""The HTTP gateway: batches of readings in, frames in the log, an answer for every reading."""
