"""A bundle for support: everything about an estate that helps to find a fault, and nothing about anybody."""
