"""Merlin: missing persons, and children and adults who come to notice, behind its SOAP interface.

Ceiling: 960 lines of code.
"""
