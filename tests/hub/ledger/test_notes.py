"""Notes: the vectors of the Go implementation, round trips, and hostile texts refused with why."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import ORIGIN, signer

from hub.ledger import notes
from hub.ledger.notes import Checkpoint, Kind, Note, NoteError

WITNESS = signer("metip.local/witness", seed=2, kind=Kind.COSIGNATURE)
LEDGER = signer()
CHECKPOINT = Checkpoint(ORIGIN, 12, bytes(range(32)))
NOTE = str(notes.signed(str(CHECKPOINT), LEDGER))
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""The example in the documentation of golang.org/x/mod/sumdb/note: nobody who wrote this project made it."""


def test_a_note_that_another_implementation_signed_verifies() -> None:
    key = notes.parsed_key(GO_KEY)
    assert str(key) == GO_KEY
    assert notes.parsed(GO_NOTE).signed_by([key]) == {key: None}
    assert str(notes.parsed(GO_NOTE)) == GO_NOTE


def test_a_note_that_another_implementation_signed_and_somebody_altered_does_not_verify() -> None:
    with pytest.raises(NoteError, match="the signature of PeterNeumann is not of this text"):
        notes.parsed(GO_NOTE.replace("answer", "Answer")).signed_by([notes.parsed_key(GO_KEY)])


def test_a_checkpoint_goes_out_and_comes_back() -> None:
    checkpoint, note = notes.opened_checkpoint(NOTE.encode(), [LEDGER.verifier])
    assert checkpoint == CHECKPOINT
    assert str(note) == NOTE
    assert note.text == f"{ORIGIN}\n12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


def test_a_cosignature_states_its_time_and_is_over_it() -> None:
    note = notes.parsed(NOTE + WITNESS.sign(str(CHECKPOINT), time=1_700_000_000))
    assert note.signed_by([WITNESS.verifier, LEDGER.verifier]) == {WITNESS.verifier: 1_700_000_000, LEDGER.verifier: None}
    raw = base64.b64decode(str(note).splitlines()[-1].split(" ")[2])
    assert raw[:4] == WITNESS.verifier.id
    assert int.from_bytes(raw[4:12]) == 1_700_000_000
    WITNESS.private.public_key().verify(raw[12:], f"cosignature/v1\ntime 1700000000\n{CHECKPOINT}".encode())
    later = raw[:4] + (1_700_000_001).to_bytes(8) + raw[12:]
    forged = notes.parsed(NOTE + f"— {WITNESS.name} {base64.b64encode(later).decode()}\n")
    with pytest.raises(NoteError, match="is not of this text"):
        forged.signed_by([WITNESS.verifier])


def test_one_key_has_another_id_as_signer_and_as_cosigner() -> None:
    plain = signer(WITNESS.name, seed=2)
    assert plain.verifier.key == WITNESS.verifier.key
    assert plain.verifier.id != WITNESS.verifier.id


@pytest.mark.parametrize("key", [LEDGER.verifier, WITNESS.verifier], ids=["signature", "cosignature"])
def test_a_key_goes_out_and_comes_back(key: notes.Verifier) -> None:
    assert notes.parsed_key(str(key)) == key
    assert notes.parsed_keys(f"{key}\n{GO_KEY}\n") == (key, notes.parsed_key(GO_KEY))


def test_signatures_of_nobody_known_count_for_nothing() -> None:
    stranger = signer(ORIGIN, seed=9)
    with pytest.raises(NoteError, match=f"no trusted key of {ORIGIN} signed the checkpoint of 12"):
        notes.opened_checkpoint(NOTE, [stranger.verifier])
    both = NOTE + stranger.sign(str(CHECKPOINT))
    assert notes.opened_checkpoint(both, [LEDGER.verifier])[0] == CHECKPOINT


def test_a_key_of_another_name_does_not_speak_for_the_origin() -> None:
    other = signer("metip.local/other", seed=3)
    note = notes.signed(str(CHECKPOINT), other)
    with pytest.raises(NoteError, match=f"no trusted key is named {ORIGIN}"):
        notes.opened_checkpoint(str(note), [other.verifier])


def test_a_key_that_signed_twice_is_refused() -> None:
    with pytest.raises(NoteError, match="signed twice"):
        notes.opened_checkpoint(NOTE + LEDGER.sign(str(CHECKPOINT)), [LEDGER.verifier])


LINE = NOTE.splitlines()[-1]
HOSTILE_NOTES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "no empty line"),
    "no signatures": (str(CHECKPOINT), "no empty line"),
    "no text": (f"\n\n{LINE}\n", "a key's name or an origin|no empty line between a text"),
    "no end of the last line": (NOTE[:-1], "last line has no end"),
    "carriage returns": (NOTE.replace("\n", "\r\n"), "control characters"),
    "a NUL": (NOTE.replace("12", "1\x002"), "control characters"),
    "a tab": (NOTE.replace("12", "1\t2"), "control characters"),
    "no UTF-8": (NOTE.encode().replace(b"12", b"1\xff"), "not UTF-8"),
    "a half of a pair": (NOTE.replace("12", "\ud800"), "not UTF-8"),
    "a hyphen for the dash": (NOTE.replace("— ", "- "), "begins with an em dash"),
    "no signature behind the name": (NOTE.replace(LINE, f"— {ORIGIN}"), "has a name and a signature"),
    "no base64": (NOTE.replace(LINE, f"— {ORIGIN} !!!!"), "is not base64"),
    "base64 that has more bits than bytes": (NOTE.replace(LINE, f"— {ORIGIN} AAAAAAB="), "is not base64"),
    "base64 in two pieces": (NOTE.replace(LINE, f"{LINE[:-4]} {LINE[-4:]}"), "is not base64"),
    "base64 of the alphabet for addresses": (NOTE.replace(LINE, f"— {ORIGIN} AAAAAA--"), "is not base64"),
    "an id and nothing more": (NOTE.replace(LINE, f"— {ORIGIN} AAAAAA=="), "shorter than a key's id"),
    "a name with a plus": (NOTE.replace(LINE, LINE.replace("metip", "met+ip")), "has no blank"),
    "an empty name": (NOTE.replace(LINE, f"—  {LINE.split(' ')[2]}"), "is not empty"),
    "a name with a blank of another kind": (NOTE.replace(LINE, LINE.replace("metip", "met\u00a0ip")), "has no blank"),
    "a name that is turned around": (NOTE.replace(LINE, LINE.replace("metip", "met\u202eip")), "has no blank"),
    "too many signatures": (NOTE + f"{LINE}\n" * 64, "at most 64 signatures, and this one has 65"),
    "too long": (NOTE + "x" * 70_000, "at most 65536 bytes"),
    "an empty line among the signatures": (f"{NOTE}\n{LINE}\n", "three lines: origin, size, root"),
}


@pytest.mark.parametrize("name", HOSTILE_NOTES)
def test_a_hostile_note_is_refused_with_why(name: str) -> None:
    content, words = HOSTILE_NOTES[name]
    with pytest.raises(NoteError, match=words):
        notes.opened_checkpoint(content, [LEDGER.verifier])


ROOT = base64.b64encode(bytes(32)).decode()
HOSTILE_CHECKPOINTS = {
    "empty origin": (f"\n1\n{ROOT}\n", "is not empty"),
    "a blank in the origin": (f"a b\n1\n{ROOT}\n", "has no blank"),
    "an endless origin": (f"{'a' * 256}\n1\n{ROOT}\n", "at most 255 characters"),
    "leading zero": (f"a\n01\n{ROOT}\n", "a decimal number"),
    "a sign": (f"a\n+1\n{ROOT}\n", "a decimal number"),
    "negative": (f"a\n-1\n{ROOT}\n", "a decimal number"),
    "digits of another script": (f"a\n\u0661\n{ROOT}\n", "a decimal number"),
    "a blank behind the size": (f"a\n1 \n{ROOT}\n", "a decimal number"),
    "hexadecimal": (f"a\n0x1\n{ROOT}\n", "a decimal number"),
    "too large": (f"a\n{1 << 63}\n{ROOT}\n", r"below 2\*\*63"),
    "digits without end": (f"a\n{'9' * 5000}\n{ROOT}\n", "a decimal number"),
    "a short root": ("a\n1\nAAAA\n", "a checkpoint's root has 32 bytes, and this one has 3"),
    "no root": ("a\n1\n\n", "a checkpoint's root has 32 bytes, and this one has 0"),
    "no base64": ("a\n1\n????\n", "is not base64"),
    "an extension": (f"a\n1\n{ROOT}\nmore\n", "three lines: origin, size, root"),
    "no last end": (f"a\n1\n{ROOT}", "three lines: origin, size, root"),
    "two lines": ("a\n1\n", "three lines: origin, size, root"),
}


@pytest.mark.parametrize("name", HOSTILE_CHECKPOINTS)
def test_a_hostile_checkpoint_is_refused_with_why(name: str) -> None:
    text, words = HOSTILE_CHECKPOINTS[name]
    with pytest.raises(NoteError, match=words):
        notes.parsed_checkpoint(text)


GOOD_KEY = str(LEDGER.verifier)
HOSTILE_KEYS = {
    "nothing": ("", "joined by"),
    "no id": (f"{ORIGIN}+AAAA", "joined by"),
    "another id": (re.sub(r"\+[0-9a-f]{8}\+", "+00000000+", GOOD_KEY), f"has the id {LEDGER.verifier.id.hex()}, not the one"),
    "the id in capitals": (GO_KEY.replace("c74f20a3", "C74F20A3"), "not the one"),
    "another name": (GOOD_KEY.replace("metip", "metep"), "not the one"),
    "no name": (GOOD_KEY.removeprefix(ORIGIN), "is not empty"),
    "another type": (f"{ORIGIN}+00000000+{base64.b64encode(bytes([2, *bytes(32)])).decode()}", "of type 1"),
    "a short key": (f"{ORIGIN}+00000000+{base64.b64encode(bytes([1, *bytes(31)])).decode()}", "has 32 bytes behind its type"),
    "an empty key": (f"{ORIGIN}+00000000+", "of type 1"),
    "one more plus": (f"{GOOD_KEY}+", "is not base64"),
}


@pytest.mark.parametrize("name", HOSTILE_KEYS)
def test_a_hostile_key_is_refused_with_why(name: str) -> None:
    text, words = HOSTILE_KEYS[name]
    with pytest.raises(NoteError, match=words):
        notes.parsed_key(text)


def test_a_file_without_keys_is_refused() -> None:
    with pytest.raises(NoteError, match="there is no verifier key"):
        notes.parsed_keys("\n\n")


@pytest.mark.parametrize(("kind", "length"), [(Kind.SIGNATURE, 72), (Kind.COSIGNATURE, 64)], ids=["signature", "cosignature"])
def test_a_signature_of_another_length_is_refused(kind: Kind, length: int) -> None:
    key = signer(ORIGIN, kind=kind).verifier
    line = f"— {ORIGIN} {base64.b64encode(key.id + bytes(length)).decode()}\n"
    with pytest.raises(NoteError, match=f"has {length} bytes, not"):
        notes.parsed(f"{CHECKPOINT}\n{line}").signed_by([key])


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_text_at_all_is_a_note_or_refused(content: bytes | str) -> None:
    try:
        note = notes.parsed(content)
    except NoteError:
        return
    assert str(note).encode() == (content if isinstance(content, bytes) else content.encode())


@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_no_note_with_a_flipped_bit_is_taken(bit: int) -> None:
    whole = bytearray(NOTE.encode())
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NoteError):
        notes.opened_checkpoint(bytes(whole), [LEDGER.verifier])


@given(st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_goes_out_and_comes_back(size: int, root: bytes) -> None:
    said = Checkpoint(ORIGIN, size, root)
    note: Note = notes.signed(str(said), LEDGER)
    assert notes.opened_checkpoint(str(note), [LEDGER.verifier]) == (said, note)
