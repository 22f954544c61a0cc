"""The in-vehicle mobile application: vehicle checks and sightings, in answers that one packet carries."""
