"""One TLS handshake with the edge, to its very end: under TLS 1.3 a client believes it is let in before the server has looked at it."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0
# An HTTP/2 client's first words, with empty settings: a server that let the client in answers with its own settings.
GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
SETTLES: Final = 0.2
"""Seconds in which a server's refusal of a certificate arrives; one that takes longer is still a refusal, with fewer words."""
CLOSED: Final = "the edge closed the connection"
SERVER_NAME: Final = "localhost"
WORDS: Final = {
    "CERTIFICATE_REQUIRED": "the edge demands a certificate",
    "UNKNOWN_CA": "the edge does not know the authority that signed this certificate",
    "CERTIFICATE_EXPIRED": "the edge says that this certificate has expired",
    "CERTIFICATE_UNKNOWN": "the edge does not accept this certificate",
    "BAD_CERTIFICATE": "the edge does not accept this certificate",
    "CERTIFICATE_VERIFY_FAILED": "the edge shows a certificate that this home's authority did not sign",
}


def context(authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """What a client shows and trusts. Raises `OSError` (`ssl.SSLError` among them) for files that can't be used."""
    made = ssl.create_default_context(cafile=str(authority))
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.set_alpn_protocols(["h2"])
    if certificate is not None:
        made.load_cert_chain(certificate, key)
    return made


async def handshake(host: str, port: int, shown: ssl.SSLContext) -> str:
    """Empty when the edge let us in, and otherwise why not, in words. Raises `ConnectionRefusedError` when nobody listens."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port, ssl=shown, server_hostname=SERVER_NAME)
            try:
                return await _welcome(reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except ssl.SSLError as error:
        return _words(error)
    except ConnectionRefusedError:
        raise
    except TimeoutError:
        return f"the edge said nothing for {PATIENCE:.0f} s"
    except OSError as error:
        return f"{CLOSED} ({error.strerror or type(error).__name__})"


async def _welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    # A refusal that is on its way must be read before anything is written: writing to a closed connection loses its reason.
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLES):
            if not await reader.read(1):
                return CLOSED
    writer.write(GREETING)
    return "" if await reader.read(1) else CLOSED


def _words(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    return next((words for name, words in WORDS.items() if name in reason), f"TLS failed: {reason}")
