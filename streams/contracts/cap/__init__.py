"""CAP 1.2 (OASIS, 2010-07-01): the message as values, its rules of sense, reading and writing.

The schema is OASIS's and stays outside: `parts` says the same of elements, order and forms, and
the tests hold both against each other.
"""
