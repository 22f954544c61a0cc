"""JSON over HTTP as CONNECT has it (assumed): paths, headers, entity tags and documents. Pure."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from adapters.connect.codes import PATHS
from adapters.kit.json_documents import DocumentError, decode, encode
from adapters.kit.webhooks import Headers

__all__ = ["WireError", "collection", "decode", "encode", "headers", "path_of", "tag_of", "version_of"]

WireError = DocumentError
BASE = "/pole/v2"
CHANGES_PATH, SUBSCRIPTIONS_PATH, TOKEN_PATH = f"{BASE}/changes", f"{BASE}/subscriptions", "/oauth2/token"
IDEMPOTENCY_KEY, REPLAYED, NEED_TO_KNOW = "Idempotency-Key", "Idempotency-Replayed", "X-Connect-Need-To-Know"
SEALED = Headers(timestamp="X-Connect-Timestamp", signature="X-Connect-Signature", prefix="v1=")


def headers(said: Mapping[str, str]) -> dict[str, str]:
    """Headers of CONNECT's own; text is percent-encoded, since a header carries ASCII in one line. What is empty is not sent."""
    return {f"X-Connect-{name}": quote(value, safe=" /") for name, value in said.items() if value}


def collection(kind: str) -> str:
    """The path of all records of a kind, which is the first letter of their ids."""
    return f"{BASE}/{PATHS[kind]}"


def path_of(entity_id: str) -> str:
    """The path of a record."""
    return f"{collection(entity_id[0])}/{entity_id}"


def tag_of(version: int) -> str:
    """The entity tag of a version."""
    return f'"v{version}"'


def version_of(tag: str) -> int:
    """The version of an entity tag. Raises `WireError` for one that is none of CONNECT's."""
    found = re.fullmatch('"v([1-9][0-9]{0,8})"', tag)
    if found is None:
        raise WireError("ETag is missing, or none of CONNECT's")
    return int(found[1])
