"""Properties of states are no question of time: a machine that pauses breaks none."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
