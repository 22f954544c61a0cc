"""Four eyes on a change of policy: an approval that two keys signed, over the exact bytes of the policy's file.

The author signs the policy's digest, its number, the reason and the time; the approver signs all of that and the author's signature. The
number is higher than that of the policy in force, so that nobody can put an old policy back by putting its old approval back.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf.json_format import MessageToDict

from hub.identity.private_files import read_private, write_private
from metip.hub.v1.settings_pb2 import AccessApproval, Approvals, ApprovalSignature
from metip.settings import SettingsError, parse_settings

SUFFIX: Final = ".approval"
CONTEXT: Final = "metip-access-approval/1"
Keys = Mapping[str, Ed25519PublicKey]
"""Public keys of approvers by name."""


def beside(policy: Path) -> Path:
    """Where the approval of a policy's file lies."""
    return policy.with_name(policy.name + SUFFIX)


def digest(content: bytes) -> str:
    """SHA-256 of a policy's file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read(path: Path) -> AccessApproval:
    """Reads an approval. Raises `SettingsError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(str(path), ("is not there",)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), (f"can't be read: {getattr(error, 'strerror', 'it is not text')}",)) from None
    return parse_settings(text, AccessApproval, source=str(path))


def write(path: Path, approval: AccessApproval) -> None:
    """Writes an approval, whole or not at all. Raises `hub.identity.IdentityError` UNWRITABLE."""
    write_private(path, (json.dumps(MessageToDict(approval, preserving_proto_field_name=True), indent=2) + "\n").encode())


def private_key(path: Path) -> Ed25519PrivateKey:
    """A signer's key. Raises `hub.identity.IdentityError` for a file that others can read, and `SettingsError` for one with another key."""
    try:
        key = serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(str(path), ("is not an unencrypted Ed25519 private key in PEM",))
    return key


def public_keys(said: Approvals, folder: Path) -> dict[str, Ed25519PublicKey]:
    """The keys that the settings list. Raises `SettingsError` with every one that can't be used or is there twice: two names with one key
    would be one person."""
    found: dict[str, Ed25519PublicKey] = {}
    raw: dict[bytes, str] = {}
    problems = []
    for place, one in enumerate(said.approvers):
        here = f"approvals.approvers[{place}]"
        try:
            key = serialization.load_pem_public_key((folder / one.key).read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            problems.append(f"{here}.key: {one.key} is no Ed25519 public key in PEM that can be read")
            continue
        if one.name in found:
            problems.append(f"{here}.name: {one.name} is there twice")
        if (other := raw.setdefault(key.public_bytes_raw(), one.name)) != one.name:
            problems.append(f"{here}.key: it is the key of {other} too")
        found[one.name] = key
    if problems:
        raise SettingsError("the settings", tuple(problems))
    return found


def proposed(content: bytes, number: int, reason: str, name: str, key: Ed25519PrivateKey, now: datetime) -> AccessApproval:
    """What the author of a policy signs; nobody has approved it yet."""
    approval = AccessApproval(digest=digest(content), number=number, reason=reason, author=_unsigned(name, now))
    approval.author.signature = key.sign(_of_author(approval))
    return approval


def approved(proposal: AccessApproval, name: str, key: Ed25519PrivateKey, now: datetime) -> AccessApproval:
    """The proposal with the approver's signature."""
    approval = AccessApproval()
    approval.CopyFrom(proposal)
    approval.approver.CopyFrom(_unsigned(name, now))
    approval.approver.signature = key.sign(_of_approver(approval))
    return approval


def name_of(key: Ed25519PrivateKey, keys: Keys) -> str | None:
    """Whose key it is; None for nobody's who is listed."""
    raw = key.public_key().public_bytes_raw()
    return next((name for name, known in keys.items() if known.public_bytes_raw() == raw), None)


def faults_of_author(approval: AccessApproval, content: bytes, keys: Keys) -> Iterator[str]:
    """Why what the author signed does not hold for this policy."""
    if approval.digest != digest(content):
        yield "the approval is of another policy: the file has changed since it was proposed"
    yield from _signature_faults("author", approval.author, _of_author(approval), keys)


def faults_of(approval: AccessApproval, content: bytes, keys: Keys) -> Iterator[str]:
    """Why an approval does not hold for this policy; nothing where it does."""
    yield from faults_of_author(approval, content, keys)
    if not approval.HasField("approver"):
        yield "nobody has approved it yet"
        return
    if approval.approver.name == approval.author.name:
        yield "its author approved it, and it takes somebody else"
    yield from _signature_faults("approver", approval.approver, _of_approver(approval), keys)


def _signature_faults(what: str, signed: ApprovalSignature, content: bytes, keys: Keys) -> Iterator[str]:
    key = keys.get(signed.name)
    if key is None:
        yield f"its {what} {signed.name} is none of the approvers in the settings"
        return
    try:
        key.verify(signed.signature, content)
    except InvalidSignature:
        yield f"the signature of its {what} {signed.name} is not valid"


def _unsigned(name: str, now: datetime) -> ApprovalSignature:
    signed = ApprovalSignature(name=name)
    signed.at.FromDatetime(now)
    return signed


def _of_author(approval: AccessApproval) -> bytes:
    said = (approval.digest, approval.number, approval.reason, approval.author.name, approval.author.at.ToJsonString())
    return json.dumps([CONTEXT, "author", *said]).encode()


def _of_approver(approval: AccessApproval) -> bytes:
    said = (approval.author.signature.hex(), approval.approver.name, approval.approver.at.ToJsonString())
    return json.dumps([CONTEXT, "approver", _of_author(approval).decode(), *said]).encode()
