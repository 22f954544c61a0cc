"""Traffic control: what shapes calls beside access, changed one at a time, recorded before it is in force, and undone by name."""
