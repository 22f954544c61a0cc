"""HTTPS servers of a test: a certificate for 127.0.0.1, signed by an authority that only the test knows."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from hub.identity.authority import new_authority, new_key, sign_leaf
from hub.identity.spiffe import parse_workload_id

DOMAIN = "far.example"


def certified(folder: Path, name: str) -> ssl.SSLContext:
    """The context of a server; the certificate of its authority goes to `<name>.pem` in the folder."""
    now, key = datetime.now(UTC), new_key()
    authority = new_authority(DOMAIN, now=now)
    workload = parse_workload_id(f"spiffe://{DOMAIN}/adapter/far")
    leaf = sign_leaf(authority, workload, key.public_key(), now=now, lifetime=timedelta(hours=1), addresses=["127.0.0.1"])
    pem = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(authority.certificate.public_bytes(pem))
    chain = folder / f"{name}-chain.pem"
    own = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(own + leaf.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context
