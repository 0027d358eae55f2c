"""What the whole engine does on one machine: log, workers and store, measured from outside.

The worker is the program that users run (`citybrain worker`), in processes of its own; a benchmark
only fills the log, watches the database and asks the operating system for processor time.
"""
