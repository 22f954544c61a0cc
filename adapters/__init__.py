"""Adapters: one folder per system, and `kit`, which every adapter stands on."""
