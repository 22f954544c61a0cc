"""CRIS, the Crime Report Information System: crimes as they were reported, and what was done about them."""
