"""Where webhooks may go: the form of an address at creation, the network address at every connect.

Names are not resolved here: what a name means may change after the check. The sender asks
`is_forbidden_address` for the very address it is about to connect to.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from contracts.notify.errors import ForbiddenPort, ForbiddenTarget, HttpsRequired, InvalidTarget

# Public by the registries or by this Python's copy of them, yet never a receiver of ours: cloud metadata and its
# relatives, protocol assignments, 6to4 relays, AS112.
_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.175.48.0/24",
    )
)
# The only globally routed block; everything that wraps an IPv4 address lies outside it or is named below.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)

_LOCAL_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback", "broadcasthost"})
_LOCAL_ENDINGS = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".intranet",
    ".corp",
    ".home",
    ".lan",
    ".home.arpa",
    ".svc",
    ".onion",
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_UNFIT = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"{}|^`]")

# Ports below 1024 but for the web's own, and the usual ones of databases, brokers and control planes.
_WEB_PORTS = frozenset({80, 443})
_FORBIDDEN_PORTS = frozenset(
    {
        1099, 1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5060, 5432, 5433, 5671, 5672, 5900,
        5984, 6000, 6379, 6443, 6667, 7001, 8500, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 25672, 27017,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """`allow_private` is for the demo and tests alone: it opens private addresses, local names and all ports."""

    allow_private: bool = False
    https_only: bool = False


def check_url(url: str, policy: TargetPolicy) -> None:
    """Refuse an address whose form alone shows that we do not send there.

    Raises InvalidTarget, HttpsRequired, ForbiddenPort or ForbiddenTarget.
    """
    parts = _split(url)
    if policy.https_only and parts.scheme != "https":
        raise HttpsRequired(field="url", expected="https")
    host, port = _host(parts), _port(parts)
    literal = _literal(host)
    if policy.allow_private:
        return
    if port is not None and port not in _WEB_PORTS and (port < 1024 or port in _FORBIDDEN_PORTS):
        raise ForbiddenPort(field="url", expected="80, 443 or a port above 1023 of no other protocol")
    if literal is not None:
        if is_forbidden_address(str(literal)):
            raise ForbiddenTarget(field="url")
    elif _is_local_name(host):
        raise ForbiddenTarget(field="url")


def is_forbidden_address(address: str) -> bool:
    """Whether a numeric address is none we may connect to; what cannot be read is forbidden.

    Refused: private, loopback, link-local, shared, multicast, reserved, documentation and benchmark networks,
    metadata services, and every IPv6 form that carries an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64).
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv4Address):
        unfit = not ip.is_global or ip.is_multicast or ip.is_reserved
        return unfit or any(ip in network for network in _FORBIDDEN_V4)
    if ip.scope_id is not None or ip not in _GLOBAL_V6:
        return True
    return not ip.is_global or any(ip in network for network in _FORBIDDEN_V6)


def _split(url: str) -> SplitResult:
    # Before parsing: urlsplit silently removes tabs and newlines, and clients disagree about backslashes.
    if len(url) > 2010 or not url.isascii() or _UNFIT.search(url):
        raise InvalidTarget("characters that have no place in an address", field="url")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidTarget(field="url") from None
    if parts.scheme not in ("http", "https") or not url.lower().startswith(f"{parts.scheme}://"):
        raise InvalidTarget(field="url", expected="https://host/path")
    if "@" in parts.netloc or "%" in parts.netloc or not parts.netloc:
        raise InvalidTarget("no user names, passwords or escapes before the path", field="url")
    if parts.fragment or "#" in url:
        raise InvalidTarget("no fragment", field="url")
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        raise InvalidTarget("not a port", field="url") from None
    if port == 0 or parts.netloc.endswith(":"):
        raise InvalidTarget("not a port", field="url")
    return port


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if not host:
        raise InvalidTarget("no host", field="url")
    return host


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address when the host is one in its one canonical spelling; None for a name.

    Raises InvalidTarget for other spellings of addresses (decimal, octal, hexadecimal, short), which readers
    take in different ways, and for what is no host name.
    """
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host)
        except ValueError:
            raise InvalidTarget("not an IPv6 address", field="url") from None
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return ipaddress.IPv4Address(host)
        except ValueError:
            raise InvalidTarget("write an IPv4 address as four decimal numbers", field="url") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidTarget("not a host name", field="url")
    return None


def _is_local_name(host: str) -> bool:
    return "." not in host or host in _LOCAL_NAMES or host.endswith(_LOCAL_ENDINGS)
