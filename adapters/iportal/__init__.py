"""iPortal: what several systems say of one person, address or incident, on one page."""
