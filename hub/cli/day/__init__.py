"""A day of the force, played on a running estate: `metip sim day`."""
