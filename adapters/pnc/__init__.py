"""The Police National Computer behind its host interface."""
