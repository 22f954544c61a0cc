"""Merlin: missing persons, and children and adults who come to notice, behind its SOAP interface."""
