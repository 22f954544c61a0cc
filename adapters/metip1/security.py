"""The officer's token in a SOAP header, as WS-Security has it: one BinarySecurityToken that is a JWT. Pure.

WSS SOAP Message Security 1.1, section 6.3; that the old bus carried tokens so is assumed. What else may stand in a Security header
(signatures, passwords, other kinds of token) would have to be verified to mean anything, so a header with any of it is refused rather than
half understood.
"""

import base64
import re
from typing import Final

from lxml import etree

from adapters.kit.soap import Element

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
BASE64: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
"""Type of the token (RFC 8693, section 3)."""
SECURITY: Final = f"{{{WSSE}}}Security"
TOKEN: Final = f"{{{WSSE}}}BinarySecurityToken"
TIMESTAMP: Final = f"{{{WSU}}}Timestamp"
"""Says when the message was made; TLS and the token's own times make it needless, so it is passed over."""
LONGEST: Final = 8192
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class SecurityError(ValueError):
    """A Security header that can't be taken at its word; the text repeats none of it."""


def token_header(token: str) -> Element:
    """The Security header around a token in its compact form (RFC 7515, section 7.1)."""
    header = etree.Element(SECURITY, nsmap={"wsse": WSSE})
    inside = etree.SubElement(header, TOKEN, ValueType=JWT, EncodingType=BASE64)
    inside.text = base64.b64encode(token.encode()).decode()
    return header


def token_of(header: Element) -> str:
    """The token in a Security header, encoded or as it is. Raises `SecurityError`."""
    inside = [one for one in header.iterchildren("*") if one.tag != TIMESTAMP]
    if len(inside) != 1 or inside[0].tag != TOKEN or len(inside[0]):
        raise SecurityError("the Security header must hold one BinarySecurityToken, and nothing else is verified there")
    token = inside[0]
    if token.get("ValueType", JWT) != JWT or token.get("EncodingType", BASE64) != BASE64:
        raise SecurityError(f"the BinarySecurityToken must be of type {JWT}, in Base64")
    text = (token.text or "").strip()
    found = text if "." in text else _decoded(text)
    if len(found) > LONGEST or not _COMPACT.fullmatch(found):
        raise SecurityError("the BinarySecurityToken holds no JWT in compact form")
    return found


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("ascii")
    except ValueError:
        return ""
