"""`metip top` and `metip tap`: what is live, as a table that moves, and calls as they end."""
