"""Where this checkout keeps its state, which ports are its own, and the settings of its processes.

State lies under `.local/`. For root that is a link to a directory the postgres and rabbitmq users can
traverse, since the clone itself may lie in root's home directory (mode 0700).
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# `make test` works on a platform of its own beside the one in use: same checkout, other state, other ports.
INSTANCE = os.environ.get("PINGAN_INSTANCE", "")
LINK = CHECKOUT / (f".local-{INSTANCE}" if INSTANCE else ".local")
ROOT_STATE = pathlib.Path("/var/lib/pingan-grid")
IS_ROOT = os.geteuid() == 0

SERVICES = ("grid", "hazards", "patrol", "notify", "access")
DATABASE = "pingan"
VHOST = "pingan"
BROKER_USER = "pingan"
MARK = "PINGAN_STATE_DIRECTORY"  # in the environment of everything we supervise

PORT_NAMES = (
    *("postgres", "amqp", "management", "erlang", "epmd", "gateway"),
    *("health-grid", "health-hazards", "health-patrol", "health-notify", "health-relay-1", "health-relay-2"),
    *("health-patrol-ingest", "health-notify-sender", "health-worker", "health-gateway"),
)
FIRST_PORT, LAST_PORT, BLOCK = 20000, 32000, 20  # below the range the kernel hands out to clients


class Trouble(Exception):
    """Something the reader has to know and can act on; printed without a traceback."""


def checkout_hash() -> str:
    """A short name for this checkout and instance, the same as long as it stays where it is."""
    text = f"{CHECKOUT}:{INSTANCE}" if INSTANCE else str(CHECKOUT)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def state() -> pathlib.Path:
    """The real state directory (resolved, so that `.local` may be a link)."""
    return (ROOT_STATE / checkout_hash()) if IS_ROOT else LINK


def make_state() -> pathlib.Path:
    """Creates the state directory, and for root the `.local` link to it."""
    place = state()
    if IS_ROOT:
        if LINK.is_symlink() and LINK.resolve() != place:
            LINK.unlink()  # a copied checkout must not share its original's state
        if LINK.exists() and not LINK.is_symlink():
            raise Trouble(f"{LINK} is a directory made by another user; remove it (it holds that user's state) first")
        ROOT_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
        place.mkdir(mode=0o711, exist_ok=True)
        place.chmod(0o711)
        if not LINK.is_symlink():
            LINK.symlink_to(place)
    else:
        if LINK.is_symlink():
            raise Trouble(f"{LINK} is root's link to its own state; run as root, or remove the link")
        place.mkdir(mode=0o711, exist_ok=True)
    for name in ("logs", "files", "run"):
        (place / name).mkdir(exist_ok=True, mode=0o700)
    return place


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Serialises set-up and start of this checkout; a second caller waits for the first."""
    with open(make_state() / "run" / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command of this checkout is starting or stopping it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_private(path: pathlib.Path, text: str, mode: int = 0o600, owner: str | None = None) -> None:
    """Writes a whole file or nothing, never readable by others in between."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.chmod(mode)
    if owner and IS_ROOT:
        shutil.chown(temporary, owner, owner)
    temporary.replace(path)


# Ports ----------------------------------------------------------------------------------------------


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _taken_by_other_checkouts() -> set[int]:
    """Ports that other checkouts of this machine remember, running or not (root's ones only)."""
    taken: set[int] = set()
    for file in ROOT_STATE.glob("*/ports.json") if IS_ROOT else ():
        if file.parent != state():
            with contextlib.suppress(OSError, ValueError):
                taken |= set(json.loads(file.read_text())["ports"].values())
    return taken


def _choose_ports() -> dict[str, int]:
    blocks = (LAST_PORT - FIRST_PORT) // BLOCK
    start = int(checkout_hash(), 16) % blocks
    taken = _taken_by_other_checkouts()
    for turn in range(blocks):
        first = FIRST_PORT + (start + turn) % blocks * BLOCK
        ports = {name: first + offset for offset, name in enumerate(PORT_NAMES)}
        if not taken & set(ports.values()) and all(map(is_free, ports.values())):
            return ports
    raise Trouble(f"no {len(PORT_NAMES)} free ports in a row between {FIRST_PORT} and {LAST_PORT} on 127.0.0.1")


def ports(renew_if_taken: bool = False) -> dict[str, int]:
    """The ports of this checkout; chosen once and remembered.

    renew_if_taken: nothing of ours runs, so a port in use belongs to a stranger and all are chosen anew.
    """
    file = state() / "ports.json"
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(file.read_text())
        if known["checkout"] == str(CHECKOUT) and set(known["ports"]) == set(PORT_NAMES):
            strangers = [port for port in known["ports"].values() if renew_if_taken and not is_free(port)]
            if not strangers:
                return dict(known["ports"])
            say(f"port {strangers[0]} is used by something else now; choosing other ports")
    chosen = _choose_ports()
    write_private(file, json.dumps({"checkout": str(CHECKOUT), "ports": chosen}, indent=1) + "\n", 0o644)
    return chosen


# Settings -------------------------------------------------------------------------------------------


def _secrets() -> dict[str, str]:
    """Random passwords, made once; they outlive a change of ports."""
    file = state() / "secrets.json"
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    roles = [f"{service}_{kind}" for service in SERVICES for kind in ("owner", "app", "read")]
    names = ("secret_key", "broker", "postgres", "erlang_cookie", "patrol_ingest", *roles)
    if not known.keys() >= set(names):
        known = {name: secrets.token_hex(24) for name in names} | known
        write_private(file, json.dumps(known, indent=1) + "\n")
    return known


def secret(name: str) -> str:
    return _secrets()[name]


def make_settings(renew_ports_if_taken: bool = False) -> dict[str, str]:
    """Writes `.local/env` (0600), the one file every process of this checkout is configured from."""
    own, port = _secrets(), ports(renew_ports_if_taken)

    def url(role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{port['postgres']}/{DATABASE}"

    broker = f"{BROKER_USER}:{own['broker']}@127.0.0.1"
    settings = {
        "PINGAN_COUNTY_CODE": "330499",
        "PINGAN_DEMO": "1",
        "PINGAN_SECRET_KEY": own["secret_key"],
        "PINGAN_BROKER_URL": f"amqp://{broker}:{port['amqp']}/{VHOST}",
        "PINGAN_BROKER_MANAGEMENT_URL": f"http://{broker}:{port['management']}",
        "PINGAN_FILES_DIRECTORY": str(state() / "files"),
        "PINGAN_GATEWAY_PORT": str(port["gateway"]),
        ADMIN_URL: url("postgres", own["postgres"]),
        "PINGAN_PATROL_INGEST_DATABASE_URL": url("patrol_ingest", own["patrol_ingest"]),
    }
    for service in SERVICES:
        for kind, infix in (("app", ""), ("owner", "OWNER_"), ("read", "READ_")):
            role = f"{service}_{kind}"
            settings[f"PINGAN_{service.upper()}_{infix}DATABASE_URL"] = url(role, own[role])
    kept = {name: value for name, value in load_settings().items() if name in OURS_TO_CHANGE or name not in settings}
    settings |= kept
    # What printed codes open: this machine, until somebody writes the address that others reach it by.
    if load_settings().get(PUBLIC_URL, HERE).startswith(HERE):
        settings[PUBLIC_URL] = f"{HERE}:{port['gateway']}"
    # The demo's webhook receivers are on this machine; anywhere else such targets stay forbidden.
    if settings["PINGAN_DEMO"] == "1":
        settings["PINGAN_NOTIFY_ALLOW_PRIVATE_TARGETS"] = "1"
    else:
        settings.pop("PINGAN_NOTIFY_ALLOW_PRIVATE_TARGETS", None)
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    write_private(state() / "env", text)
    return settings


ADMIN_URL = "PINGAN_ADMIN_DATABASE_URL"
PUBLIC_URL, HERE = "PINGAN_PUBLIC_URL", "http://127.0.0.1"
OURS_TO_CHANGE = ("PINGAN_COUNTY_CODE", "PINGAN_DEMO")  # edited by hand in .local/env, they stay


def load_settings() -> dict[str, str]:
    """`.local/env` as a mapping; empty when it does not exist yet."""
    file = state() / "env"
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, value in pairs}


def fail(trouble: object) -> int:
    print(f"\n!!  {trouble}", file=sys.stderr, flush=True)
    return 1


def process_settings() -> dict[str, str]:
    """What a platform process may know: neither the superuser nor the schemas' owners."""
    return {
        name: value
        for name, value in load_settings().items()
        if name != ADMIN_URL and not name.endswith("_OWNER_DATABASE_URL")
    }
