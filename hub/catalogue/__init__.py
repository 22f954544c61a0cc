"""What contracts tell readers and tools: the OpenAPI document of the JSON face, and the pages of the documentation site."""

from hub.catalogue.openapi import document

__all__ = ["document"]
