"""Personal-issue tablets: one question put to every system that may know."""
