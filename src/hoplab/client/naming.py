"""Why no answer came, as a person knows it, and what a browser would say."""

import errno
import http.client
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum

from hoplab.client.guard import TooMuch
from hoplab.printable import printable
from hoplab.system.sockets import address


class Kind(StrEnum):
    """What kind of silence it was."""

    UNRESOLVABLE = "unresolvable"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    NOT_HTTP = "not-http"
    ENDED = "ended"
    TOO_MUCH = "too-much"


@dataclass(frozen=True)
class Why:
    """text: one line. browser: the error that a browser shows; empty if it shows none."""

    kind: Kind
    text: str
    browser: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """All of it in one line."""
        browser = f" (a browser would say {self.browser})" if self.browser else ""
        hint = f". {self.hint}" if self.hint else ""
        return f"{self.text}{browser}{hint}"


_ENDED = (  # RemoteDisconnected is a ConnectionError, and a BadStatusLine
    ConnectionError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    http.client.IncompleteRead,
)
_INSECURE = "--insecure asks without verifying; --ca FILE trusts an authority of your own"
_UNKNOWN_AUTHORITY = (
    "the certificate is of an authority that is not trusted here",
    "NET::ERR_CERT_AUTHORITY_INVALID",
)
_CERTIFICATE = {  # X509_V_ERR_…, https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
    9: ("the certificate is not valid yet", "NET::ERR_CERT_DATE_INVALID"),
    10: ("the certificate has expired", "NET::ERR_CERT_DATE_INVALID"),
    18: ("the certificate is self-signed", "NET::ERR_CERT_AUTHORITY_INVALID"),
    19: (
        "the certificate's authority is self-signed and not trusted here",
        "NET::ERR_CERT_AUTHORITY_INVALID",
    ),
    2: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    23: ("the certificate was revoked", "NET::ERR_CERT_REVOKED"),
    62: ("the certificate is for another name", "NET::ERR_CERT_COMMON_NAME_INVALID"),
    64: ("the certificate is not for this address", "NET::ERR_CERT_COMMON_NAME_INVALID"),
}
_INCOMPLETE = (
    "Browsers may know an authority in between that the server does not send: let it send the"
    " whole chain"
)
_HANDSHAKE = (  # by what OpenSSL calls it
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"),
        "what answers there speaks no TLS",
        "ERR_SSL_PROTOCOL_ERROR",
        "Is it http, or another port?",
    ),
    (
        ("UNRECOGNIZED_NAME",),
        "the server has no certificate for this name",
        "ERR_SSL_UNRECOGNIZED_NAME_ALERT",
        "",
    ),
    (
        ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"),
        "the server speaks only versions of TLS that are no longer allowed",
        "ERR_SSL_VERSION_OR_CIPHER_MISMATCH",
        "",
    ),
    (
        ("HANDSHAKE_FAILURE", "NO_SHARED_CIPHER"),
        "the server and this client have no cipher in common, or it has no certificate here",
        "ERR_SSL_VERSION_OR_CIPHER_MISMATCH",
        "",
    ),
    (
        ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE"),
        "the server wants a certificate of the client's",
        "ERR_BAD_SSL_CLIENT_AUTH_CERT",
        "",
    ),
)


def named(error: BaseException, host: str, port: int) -> Why:
    """What this error of a connection or an answer means to a person."""
    at = address(host, port)
    if isinstance(error, ssl.SSLError) and not isinstance(error, _ENDED):
        return _tls(error, host)
    if isinstance(error, http.client.HTTPException) and not isinstance(error, _ENDED):
        return _no_http(error, at)
    if isinstance(error, socket.gaierror):
        return _unresolved(error, host)
    return _of_connection(error, at)


def _of_connection(error: BaseException, at: str) -> Why:
    if isinstance(error, TooMuch):
        return Why(Kind.TOO_MUCH, "the answer's head is too large, or it never ends")
    if isinstance(error, TimeoutError):
        hint = "A proxy may wait a minute for its application before it answers"
        return Why(Kind.TIMEOUT, f"{at}: no answer in time", "ERR_TIMED_OUT", hint)
    if isinstance(error, ConnectionRefusedError):
        text = f"{at} refuses the connection: nothing listens there"
        return Why(Kind.REFUSED, text, "ERR_CONNECTION_REFUSED")
    if isinstance(error, _ENDED):
        text = f"{at} ended the connection without an answer"
        return Why(Kind.ENDED, text, "ERR_EMPTY_RESPONSE")
    said = errno.errorcode.get(_number(error), printable(str(error), 100))
    return Why(Kind.UNREACHABLE, f"{at} can't be reached ({said})", "ERR_ADDRESS_UNREACHABLE")


def _no_http(error: http.client.HTTPException, at: str) -> Why:
    said = printable(str(error) or type(error).__name__, 100)
    if isinstance(error, http.client.BadStatusLine):
        text = f"{at} answers with something that is no HTTP: {said}"
        return Why(Kind.NOT_HTTP, text, "ERR_INVALID_HTTP_RESPONSE")
    return Why(Kind.NOT_HTTP, f"{at}: the answer's head is no HTTP: {said}")


def _number(error: BaseException) -> int:
    return (error.errno or 0) if isinstance(error, OSError) else 0


def _unresolved(error: socket.gaierror, host: str) -> Why:
    if error.errno == socket.EAI_AGAIN:
        text = f"the name {host} can't be resolved now: the name server does not answer"
    else:
        text = f"the name {host} can't be resolved: there is no address for it"
    hint = "Check the name, or say where it is: --resolve HOST:PORT:ADDRESS"
    return Why(Kind.UNRESOLVABLE, text, "ERR_NAME_NOT_RESOLVED", hint)


def _tls(error: ssl.SSLError, host: str) -> Why:
    if isinstance(error, ssl.SSLCertVerificationError):
        told, browser = _CERTIFICATE.get(
            error.verify_code,
            (f"the certificate is not accepted: {printable(error.verify_message, 100)}", ""),
        )
        told = f"{told}: {host} is not in it" if error.verify_code in {62, 64} else told
        hint = _INSECURE
        if (told, browser) == _UNKNOWN_AUTHORITY:
            hint = f"{_INCOMPLETE}. {hint}"
        return Why(Kind.TLS, f"TLS: {told}", browser or "NET::ERR_CERT_INVALID", hint)
    reason = (error.reason or str(error)).upper()
    for names, told, browser, hint in _HANDSHAKE:
        if any(name in reason for name in names):
            return Why(Kind.TLS, f"TLS: {told}", browser, hint)
    told = printable(reason, 80).lower().replace("_", " ")
    return Why(Kind.TLS, f"TLS: {told}", "ERR_SSL_PROTOCOL_ERROR")
