"""Moves interfaces from the old platform to the new one: states, the guards of each step, evidence, and the way back by itself."""
