"""Hands records out for a case: leaves with their proofs against one checkpoint, signed as a whole, to be checked on any machine.

The law: what the signature covers is this text, as a C2SP signed note under the ledger's key:

    metip-ledger-bundle/1
    <count of leaves>
    <base64 of the SHA-256 over: the checkpoint's note, then for each leaf its index (8 bytes, big endian), SHA-256 of the leaf, SHA-256 of
     the particulars' text>

So neither a leaf nor what is shown of it in clear can be left out, added or changed, and no checkpoint can be taken for a bundle.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf import json_format

from hub.ledger import notes, tree
from hub.ledger.notes import Signer
from hub.ledger.port import Head, Reader
from hub.ledger.reporting import Reading
from metip.ledger.v1 import record_pb2

HEAD: Final = "metip-ledger-bundle/1"


@dataclass(frozen=True)
class ProvedLeaf:
    """One leaf, its proof, and what was sealed in it as JSON text; empty where it stays sealed."""

    index: int
    leaf: bytes
    proof: tuple[bytes, ...]
    particulars: str = ""


@dataclass(frozen=True)
class Bundle:
    """What is handed out."""

    checkpoint: str
    cosigned: str
    leaves: tuple[ProvedLeaf, ...]
    signature: str


def bundle(reader: Reader, reading: Reading, indexes: Iterable[int], signer: Signer, *, unmask: bool) -> Bundle:
    """The bundle of some leaves, against the newest checkpoint that the witness co-signed if it has them all, else the newest.

    Raises `UnknownRecordError` for a leaf that there is not.
    """
    places = sorted(set(indexes))
    head = _head(reader, places)
    leaves = tuple(
        ProvedLeaf(one, reading.leaf(one), tree.inclusion(one, head.size, reader.subtree), _particulars(reading, one) if unmask else "")
        for one in places
    )
    text = signed_text(head.note, leaves)
    return Bundle(head.note, head.cosigned, leaves, str(notes.signed(text, signer)))


def signed_text(checkpoint: str, leaves: Sequence[ProvedLeaf]) -> str:
    """The text that the bundle's signature is over."""
    digest = hashlib.sha256(checkpoint.encode())
    for one in leaves:
        digest.update(one.index.to_bytes(8))
        digest.update(hashlib.sha256(one.leaf).digest())
        digest.update(hashlib.sha256(one.particulars.encode()).digest())
    return f"{HEAD}\n{len(leaves)}\n{base64.b64encode(digest.digest()).decode()}\n"


def plain(particulars: record_pb2.Particulars) -> str:
    """Particulars as JSON text, without the tokens, which only this ledger can make anything of."""
    shown = record_pb2.Particulars()
    shown.CopyFrom(particulars)
    shown.ClearField("tokens")
    return json.dumps(json_format.MessageToDict(shown, preserving_proto_field_name=True), ensure_ascii=False, sort_keys=True)


def _head(reader: Reader, places: Sequence[int]) -> Head:
    cosigned = reader.cosigned()
    if cosigned is not None and (not places or cosigned.size > places[-1]):
        return cosigned
    return reader.head()


def _particulars(reading: Reading, index: int) -> str:
    found = reading.show(index, unmask=True).particulars
    return plain(found) if found is not None else ""
