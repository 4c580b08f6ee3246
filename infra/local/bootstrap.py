"""Installs what is missing: Debian packages by apt (no service is started), the virtual environment, the built page.

Where it may not install, it says exactly what is missing and which command would bring it.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

from infra.local import npm
from infra.local.place import CHECKOUT, IS_ROOT, Trouble, say
from infra.local.servers import PG_BIN, RABBITMQ_SERVER

VENV = CHECKOUT / ".venv"
REQUIREMENTS = CHECKOUT / "requirements"
POSTGIS = pathlib.Path("/usr/share/postgresql/15/extension/postgis.control")
CHROMIUM = pathlib.Path("/usr/bin/chromium")
CJK_FONTS = pathlib.Path("/usr/share/fonts/opentype/noto")
PYTHON_VERSION = (3, 11)
CONTAINS = {"runtime": ("runtime",), "console": ("console",), "dev": ("runtime", "console", "dev")}
"""requirements/*.txt, and which of them each brings with it."""


def ensure(kind: str = "runtime") -> None:
    """Everything `make run` (kind "runtime") or `make test` (kind "dev") needs; quick when it is there."""
    ensure_packages(kind)
    ensure_venv(kind)
    if kind == "dev":
        with _alone():
            npm.ensure_node_modules()


def ensure_console(strict: bool = False) -> None:
    """The page, built from gateway/console by Node; quick when it is. Without it the API runs all the same."""
    if npm.console_is_built():
        return
    try:
        ensure_venv("console")
        with _alone():
            if not npm.console_is_built():
                npm.build_console()
    except Trouble as trouble:
        if strict:
            raise
        say(f"the page could not be built, so only the API answers ({trouble}); to try again: make run")


# Debian packages ------------------------------------------------------------------------------------


def missing_packages(kind: str = "runtime") -> list[str]:
    """Packages whose files are not there; what the machine already has is left alone."""
    there = {
        "postgresql-15": (PG_BIN / "postgres").exists() and (PG_BIN / "psql").exists(),
        "postgresql-15-postgis-3": POSTGIS.exists(),
        "rabbitmq-server": RABBITMQ_SERVER.exists(),
        "jq": bool(shutil.which("jq")),
        "curl": bool(shutil.which("curl")),
        "python3-venv": _python() is not None or _venv_python_works(),
    }
    if kind == "dev":  # the page is tested in a browser, in Chinese
        there |= {"chromium": CHROMIUM.exists(), "fonts-noto-cjk": CJK_FONTS.is_dir()}
    return [package for package, is_there in there.items() if not is_there]


def ensure_packages(kind: str = "runtime") -> None:
    missing = missing_packages(kind)
    if not missing:
        return
    say("missing on this machine: " + " ".join(missing))
    by_hand = f"sudo {CHECKOUT}/scripts/bootstrap-apt.sh {' '.join(missing)}"
    if not shutil.which("apt-get") or not _apt_has_postgresql_15():
        raise Trouble(
            "this needs Debian 12 or another system whose apt offers PostgreSQL 15. Please install by hand:\n"
            f"    PostgreSQL 15 (in {PG_BIN}) with PostGIS 3,\n"
            f"    RabbitMQ 3.10 or later (in {RABBITMQ_SERVER.parent}), Python 3.11 with venv, jq, curl\n"
            f"Missing now: {', '.join(missing)}"
        )
    sudo = [] if IS_ROOT else ["sudo", "-n"]
    if sudo and (not shutil.which("sudo") or subprocess.run([*sudo, "true"], capture_output=True).returncode):
        raise Trouble(f"neither root nor sudo without a password. Please have these packages installed:\n    {by_hand}")
    script = str(CHECKOUT / "scripts" / "bootstrap-apt.sh")
    if subprocess.run([*sudo, "bash", script, *missing]).returncode:
        raise Trouble(f"apt could not install {' '.join(missing)}; its words are above. To try by hand:\n    {by_hand}")
    if still := missing_packages(kind):
        raise Trouble(f"apt ended well, but these are still not found: {', '.join(still)}")


def _apt_has_postgresql_15() -> bool:
    """True also when the package lists are still empty: then only an update can tell."""
    if (PG_BIN / "postgres").exists():
        return True
    lists = subprocess.run(["apt-cache", "pkgnames", "postgresql"], capture_output=True, text=True).stdout.split()
    return not lists or "postgresql-15" in lists


# Virtual environment --------------------------------------------------------------------------------


def _python() -> str | None:
    """A Python 3.11 that can make a virtual environment."""
    for name in (sys.executable, "python3.11", "/usr/bin/python3.11", "python3", "/usr/bin/python3"):
        path = shutil.which(name)
        check = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != {PYTHON_VERSION})"
        if path and subprocess.run([path, "-I", "-c", check], capture_output=True).returncode == 0:
            return path
    return None


def _venv_python_works() -> bool:
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != {PYTHON_VERSION})"
    python = VENV / "bin" / "python"
    return python.exists() and subprocess.run([python, "-I", "-c", check], capture_output=True).returncode == 0


def _stamp(kind: str) -> tuple[pathlib.Path, str]:
    """Changes with the requirements and with the place (a copied environment points to its original)."""
    text = (REQUIREMENTS / f"{kind}.txt").read_bytes() + str(VENV).encode()
    return VENV / f"{kind}.stamp", hashlib.sha256(text).hexdigest()


def _is_current(kind: str) -> bool:
    file, wanted = _stamp(kind)
    return file.exists() and file.read_text() == wanted and (VENV / "bin" / "python").exists()


def ensure_venv(kind: str) -> None:
    if _is_current(kind):
        return
    with _alone():  # two commands at once would clear what the other installs
        if not _is_current(kind):
            _install(kind)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    directory = os.open(REQUIREMENTS, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _install(kind: str) -> None:
    if VENV.is_symlink():  # another checkout's would be emptied through it
        raise Trouble(f"{VENV} is a link to somewhere else; remove it, then an environment of this checkout is made")
    known = any((VENV / f"{each}.stamp").exists() for each in CONTAINS)
    if not _venv_python_works() or (known and not _is_in_place()):
        python = _python()
        if python is None:
            raise Trouble("no Python 3.11 with venv was found; on Debian 12: apt-get install python3 python3-venv")
        say(f"making .venv with {python}")
        subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)
    say(f"installing requirements/{kind}.txt into .venv (every file checked against its hash)")
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off"]
    command += ["--require-hashes", "-r", str(REQUIREMENTS / f"{kind}.txt")]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as pip:
        for line in pip.stdout or ():
            if not line.startswith(("Requirement already satisfied", "Looking in", "  Using cached")):
                print(f"    {line.rstrip()[:150]}", flush=True)
    if pip.returncode:
        raise Trouble("pip could not install the requirements; its words are above")
    for each in CONTAINS[kind]:
        file, wanted = _stamp(each)
        file.write_text(wanted)


def _is_in_place() -> bool:
    """False for an environment that was copied here: its scripts start the original's Python."""
    script = VENV / "bin" / "pip"
    return script.exists() and str(VENV).encode() in script.read_bytes()[:300]
