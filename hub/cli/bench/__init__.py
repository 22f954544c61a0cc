"""An operator's bench: how one query of a running estate answers at a rate, and how it fails."""
