"""Webhook targets: every spelling of a forbidden address we know is refused, at creation or at connect."""

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from contracts.notify.errors import ForbiddenPort, ForbiddenTarget, HttpsRequired, InvalidTarget
from contracts.refusals import Refusal
from services.notify.domain.targets import TargetPolicy, check_url, is_forbidden_address
from services.notify.sender.guard import ForbiddenAddress, GuardedResolver, GuardedSockets, is_refusal
from services.notify.sender.posting import Poster

STRICT = TargetPolicy()
OPEN = TargetPolicy(allow_private=True)

FORBIDDEN_FORMS = [
    # loopback and "this host", in the spellings that readers take for it
    "http://127.0.0.1/", "http://127.0.0.1:8080/", "http://127.1/", "http://127.0.1/", "http://127.255.255.254/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://0177.1/", "http://127.0.0.01/", "http://127.0.0.0x1/", "http://0/",
    "http://0.0.0.0/", "http://00000000.0/", "http://127.0.0.1./", "http://127.0.0.1.:80/", "http://localhost/",
    "http://LOCALHOST/", "http://localhost./", "http://a.localhost/", "http://localhost.localdomain/",
    "http://ip6-localhost/", "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    # private, shared, link-local, metadata
    "http://10.0.0.1/", "http://10.255.255.255/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
    "http://100.64.0.1/", "http://100.100.100.200/latest/meta-data/", "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/", "http://0xa9fea9fe/", "http://2852039166/", "http://0251.0376.0251.0376/",
    "http://425.510.425.510/", "http://168.63.129.16/", "http://192.0.0.192/", "http://metadata.google.internal/",
    "http://instance-data/", "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/", "http://[fec0::1]/",
    # other networks that are nobody's receiver
    "http://198.18.0.1/", "http://192.0.2.1/", "http://198.51.100.1/", "http://203.0.113.1/", "http://224.0.0.1/",
    "http://239.255.255.250/", "http://240.0.0.1/", "http://255.255.255.255/", "http://192.88.99.1/", "http://[ff02::1]/",
    "http://[2001:db8::1]/", "http://[100::1]/", "http://[3fff::1]/", "http://[5f00::1]/",
    # IPv4 inside IPv6: 6to4, NAT64, Teredo, ISATAP-like mapped forms of a public address too
    "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::1]/",
    "http://[2001:0:7f00:1::]/", "http://[::ffff:8.8.8.8]/", "http://[::8.8.8.8]/", "http://[::ffff:0:127.0.0.1]/",
    # names of the inside
    "http://postgres/", "http://intranet:8080/", "http://gateway.pingan.svc/", "http://x.svc.cluster.local/",
    "http://printer.local/", "http://router.lan/", "http://nas.home.arpa/", "http://db.corp/", "http://x.internal./",
    # user information, parser quarrels, escapes
    "http://user@example.com/", "http://user:pass@example.com/", "http://example.com@127.0.0.1/",
    "http://127.0.0.1@example.com/", "http://example.com:80@10.0.0.1/", "http://example.com%40127.0.0.1/",
    "http://127.0.0.1%2f@example.com/", "http://example.com\\@127.0.0.1/", "http://127.0.0.1\\.example.com/",
    "http://127.0.0.1#@example.com/", "http://example.com#fragment", "http://127%2e0%2e0%2e1/",
    "http://loc%61lhost/", "http://%6c%6f%63%61%6c%68%6f%73%74/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/",
    "http://ⓛocalhost/", "http://exa mple.com/", "http://example.com\t.evil/", "http://exam\nple.com/",
    "http://example.com/\r\nHost:x", "http://\x00example.com/", "http://127.0.0.1\u2028.example.com/",
    # forms that are no address of ours
    "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "javascript:alert(1)",
    "http:/example.com", "http:///example.com/",
    "http://", "https://", "//example.com/", "example.com", "", "http:example.com",
    "http://.example.com/", "http://example..com/", "http://-example.com/", "http://example-.com/", "http://[::1/",
    "http://::1/", "http://[127.0.0.1]/", "http://[::1]x/", "http://[v1.fe80::a+en1]/", "http://exam<ple.com/",
    "http://" + "a" * 64 + ".com/", "http://" + "a." * 130 + "com/", "http://example.com/" + "a" * 2100,
    "http://1.2.3.4.5/", "http://1.2.3/", "http://256.1.1.1/", "http://example.0x7f/", "http://example.1/",
    # ports
    "http://example.com:0/", "http://example.com:65536/", "http://example.com:-1/", "http://example.com:/",
    "http://example.com:22/", "http://example.com:25/", "http://example.com:5432/", "http://example.com:5672/",
    "http://example.com:6379/", "http://example.com:11211/", "http://example.com:15672/", "http://example.com:2375/",
    "http://example.com:8o/", "http://example.com:٨٠/",
]  # fmt: skip

ALLOWED_FORMS = [
    "https://hooks.example.com/",
    "http://example.com",
    "https://example.com:8443/a/b?c=d&e=%E4%BD%A0",
    "https://example.com./x",
    "https://xn--fiqs8s.example/",
    "http://8.8.8.8/",
    "https://223.5.5.5:443/",
    "https://[2400:3200::1]/",
    "https://[2400:3200::1]:9443/hook",
    "https://a_b.example.com/",
    "http://1e100.net/",
    "https://EXAMPLE.com/",
]


@pytest.mark.parametrize("url", FORBIDDEN_FORMS)
def test_a_forbidden_form_is_refused_at_creation(url: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_url(url, STRICT)
    assert isinstance(refusal.value, InvalidTarget | ForbiddenTarget | ForbiddenPort)


def test_there_are_many_of_them() -> None:
    assert len(set(FORBIDDEN_FORMS)) == len(FORBIDDEN_FORMS) >= 150


@pytest.mark.parametrize("url", ALLOWED_FORMS)
def test_an_ordinary_address_is_taken(url: str) -> None:
    check_url(url, STRICT)


def test_https_only_is_a_switch_and_the_demo_may_send_to_itself() -> None:
    with pytest.raises(HttpsRequired):
        check_url("http://example.com/", TargetPolicy(https_only=True))
    check_url("https://example.com/", TargetPolicy(https_only=True))
    for url in ("http://127.0.0.1:22/", "http://localhost:9000/hook", "http://[::1]:8080/"):
        check_url(url, OPEN)
    with pytest.raises(InvalidTarget):
        check_url("http://user@localhost/", OPEN)


@pytest.mark.parametrize(
    "address",
    ["", "localhost", "127.1", "0177.0.0.1", "fe80::1%eth0", "2400:3200::1%eth0", "::", "256.1.1.1", "8.8.8.8 "],
)
def test_what_cannot_be_read_as_a_public_address_is_forbidden(address: str) -> None:
    assert is_forbidden_address(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_never_reached_through_ipv6(address: object) -> None:
    import ipaddress

    number = int(ipaddress.IPv4Address(str(address)))
    for prefix in ("::ffff:0:0", "::", "64:ff9b::", "::ffff:0:0:0"):
        assert is_forbidden_address(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + number)))
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (number << 80))
    assert is_forbidden_address(str(six_to_four))


class Rebinding(AbstractResolver):
    """Says a public address first and a private one ever after."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in answer
        ]

    async def close(self) -> None:
        return None


async def test_a_name_that_changes_its_meaning_is_checked_at_every_connect() -> None:
    guarded = GuardedResolver(STRICT, Rebinding(["8.8.8.8"], ["127.0.0.1"]))
    assert (await guarded.resolve("rebind.example.com", 80))[0]["host"] == "8.8.8.8"
    with pytest.raises(ForbiddenAddress):
        await guarded.resolve("rebind.example.com", 80)


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["::1"],
        ["2400:3200::1", "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%2"],
    ],
)
async def test_a_name_with_one_forbidden_address_is_refused_as_a_whole(
    answer: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[object] = []

    async def connect(self: object, sock: socket.socket, address: object) -> None:
        connected.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(asyncio.BaseEventLoop, "sock_connect", connect, raising=False)
    async with Poster(STRICT, resolver=Rebinding(answer)) as poster:
        found = await poster.post("https://innocent.example.com/hook", "{}", {})
    assert (found.status, found.error) == (None, "forbidden_address")
    assert connected == []


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("127.0.0.1", 80)),
        (socket.AF_INET, ("169.254.169.254", 80)),
        (socket.AF_INET6, ("::1", 80, 0, 0)),
        (socket.AF_INET6, ("::ffff:10.0.0.1", 80, 0, 0)),
        (socket.AF_UNIX, "/run/docker.sock"),
    ],
)
def test_no_socket_is_made_for_a_forbidden_address(family: socket.AddressFamily, address: object) -> None:
    # The second net: whatever got past forms and resolver ends here, before connect.
    with pytest.raises(ForbiddenAddress) as refusal:
        GuardedSockets(STRICT)((family, socket.SOCK_STREAM, 0, "", address))  # type: ignore[arg-type]
    wrapped = RuntimeError("whatever the client makes of it")
    wrapped.__cause__ = refusal.value
    assert is_refusal(wrapped)
    assert not is_refusal(OSError())
