"""What stands behind the simulated bus: the invented population as PNC, CRIS and Merlin would tell it through that."""
