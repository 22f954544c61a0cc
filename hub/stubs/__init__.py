"""Clients in other languages: from the contracts to a Python wheel and to Go, Java and TypeScript sources (`make stubs`)."""

from hub.stubs.choosing import chosen, public
from hub.stubs.packages import managed

__all__ = ["chosen", "managed", "public"]
