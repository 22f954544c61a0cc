"""`metip trace`: the whole journey of a call or a message, from any id of it."""
