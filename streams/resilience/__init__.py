"""The composite of all domains of one area: one risk colour, and which hazard led it."""
