"""The token issuer's public keys as a JSON Web Key Set, which is what Envoy's jwt_authn reads (no files here)."""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import InvalidKeyError

ALGORITHM = "ES256"


def key_id(public_key: ec.EllipticCurvePublicKey) -> str:
    """Return the key's RFC 7638 thumbprint: whoever holds the key can work out its id, so ids never clash by hand."""
    members = ECAlgorithm.to_jwk(public_key, as_dict=True)
    canonical = json.dumps({name: members[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def key_set(*public_keys: ec.EllipticCurvePublicKey) -> bytes:
    """Return the key set's JSON text; two keys while one replaces the other."""
    keys = [{**ECAlgorithm.to_jwk(key, as_dict=True), "kid": key_id(key), "use": "sig", "alg": ALGORITHM} for key in public_keys]
    return json.dumps({"keys": keys}, indent=2, sort_keys=True).encode() + b"\n"


def public_keys(text: bytes) -> Mapping[str, ec.EllipticCurvePublicKey]:
    """Return a key set's ES256 keys by key id, leaving out other kinds; raises ValueError where it isn't a key set."""
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("no list of keys")
    found: dict[str, ec.EllipticCurvePublicKey] = {}
    for member in document["keys"]:
        if not isinstance(member, dict):
            raise ValueError("a key isn't an object")
        if member.get("kty") != "EC" or member.get("crv") != "P-256" or not isinstance(member.get("kid"), str):
            continue
        try:
            key = ECAlgorithm.from_jwk(json.dumps(member))
        except InvalidKeyError as error:
            raise ValueError("a key has no valid point") from error
        found[member["kid"]] = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    return found
