"""What stands behind the simulator: reports made of the population, the rules that CRIS keeps, the register that changes."""
