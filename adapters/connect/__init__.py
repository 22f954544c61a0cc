"""CONNECT: persons, vehicles, locations, investigations, custody and intelligence in one linked record."""
