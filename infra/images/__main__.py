"""`make images`: builds the two images of the Dockerfile, and asks the gateway of its own for its page and its health.

With podman's or buildah's tools, without a daemon. The base is `python:3.11-slim-bookworm` where a registry of
containers can be reached; where none can, a Debian of the same release made by debootstrap, for this trial only.
The builder's own way to packages (pip.conf, npmrc, certificates) is lent to the build and stays out of the images.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from infra.local import place
from infra.local.place import CHECKOUT, IS_ROOT, Trouble, say

HERE = pathlib.Path(__file__).parent
PUBLIC_BASE, OWN_BASE = "docker.io/library/python:3.11-slim-bookworm", "localhost/pingan-base"
RELEASE = "bookworm"
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
SECRETS = {
    "pip": ("/etc/pip.conf", "~/.config/pip/pip.conf"),
    "npm": ("/etc/npmrc", "~/.npmrc"),
    "certificates": (str(CERTIFICATES),),
}
"""What the Dockerfile's steps may borrow, and where a machine keeps it: the last that is there counts."""
NEEDS = ("buildah", "debootstrap")
ANSWERS_WITHIN_S = 60.0
CONTAINER_USER = 10001


class Skip(Exception):
    """Cannot be tried on this machine; the words say what is missing."""


def buildah(*arguments: str, quiet: bool = False) -> str:
    """Runs buildah on storage of this checkout alone; its words are printed, its answer is given back."""
    storage = place.state() / "images"
    command = ["buildah", "--storage-driver", "vfs"]
    command += ["--root", str(storage / "root"), "--runroot", str(storage / "run"), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE if quiet else None, text=True)
    if done.returncode:
        raise Trouble(f"buildah {arguments[0]} ended with {done.returncode} {(done.stderr or '')[-500:]}")
    return done.stdout.strip()


# Base -----------------------------------------------------------------------------------------------


def ensure_tools() -> None:
    missing = [tool for tool in NEEDS if not shutil.which(tool)]
    if not missing:
        return
    if not (IS_ROOT and shutil.which("apt-get")):
        raise Skip(f"needs {' and '.join(missing)}; on Debian 12, as root: apt-get install {' '.join(missing)}")
    if subprocess.run(["bash", str(CHECKOUT / "scripts" / "bootstrap-apt.sh"), *missing]).returncode:
        raise Skip(f"apt could not install {' and '.join(missing)}; its words are above")


def base() -> str:
    """The name of an image with Python 3.11 to build from."""
    wanted = os.environ.get("BASE", PUBLIC_BASE)
    with contextlib.suppress(Trouble):
        buildah("pull", "-q", "--retry", "0", wanted, quiet=True)
        return wanted
    if "BASE" in os.environ:
        raise Trouble(f"{wanted} could not be pulled")
    with contextlib.suppress(Trouble):
        buildah("inspect", "--type", "image", OWN_BASE, quiet=True)
        return OWN_BASE
    if not IS_ROOT:
        raise Skip(f"no registry gives {PUBLIC_BASE}, and making a base of one's own needs root")
    say(f"no registry gives {PUBLIC_BASE}: making a base from Debian's own packages")
    return _own_base()


def _own_base() -> str:
    root = place.state() / "images" / "debian"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    command = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", RELEASE]
    log = place.state() / "logs" / "debootstrap.log"
    with open(log, "w") as words:
        if subprocess.run([*command, str(root), *_mirror()], stdout=words, stderr=subprocess.STDOUT).returncode:
            raise Trouble(f"debootstrap failed; its words are in {log}")
    container = buildah("from", "scratch")
    buildah("copy", "-q", container, str(root), "/")
    buildah("commit", "-q", "--rm", container, OWN_BASE)
    shutil.rmtree(root)
    return OWN_BASE


def _mirror() -> list[str]:
    """Where this machine's apt takes its packages from, for it may reach nothing else."""
    uris = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)"], capture_output=True, text=True
    ).stdout.split("\n")
    return [uri.split()[0] for uri in uris if uri.endswith(f" {RELEASE}")][:1]


# Build ----------------------------------------------------------------------------------------------


def lent() -> Iterator[str]:
    """Arguments that lend this machine's way to packages to the steps that install some."""
    for name, files in SECRETS.items():
        there = [path for file in files if (path := pathlib.Path(file).expanduser()).is_file()]
        if there:
            yield from ("--secret", f"id={name},src={there[-1]}")
    for directory in _local_indexes():
        yield from ("--volume", f"{directory}:{directory}:ro")


def _local_indexes() -> set[str]:
    """Directories of packages that pip is told of; the empty set where it goes to a registry alone."""
    lines = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    words = [word.strip("'") for line in lines.splitlines() for word in line.partition("=")[2].split("\\n")]
    paths = (pathlib.Path(urlsplit(word).path) for word in " ".join(words).strip("'").split())
    # A simple index links to files that lie beside it.
    folders = (path.parent if path.name == "simple" else path for path in paths)
    return {str(folder) for folder in folders if folder.is_absolute() and folder != folder.parent and folder.is_dir()}


def build(base: str) -> None:
    for target in ("worker", "gateway"):
        say(f"building pingan-grid-{target}")
        started = time.monotonic()
        common = ("--layers", "--isolation", "chroot", "--network", "host", "--pull-never", *lent())
        what = ("--build-arg", f"PYTHON={base}", "--target", target, "-t", f"localhost/pingan-grid-{target}")
        buildah("build", "-q", *common, *what, "-f", str(HERE / "Dockerfile"), str(CHECKOUT))
        say(f"built in {time.monotonic() - started:.0f} s")


# Try ------------------------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def gateway_in_a_container() -> Iterator[int]:
    """The gateway's port, on this machine's loopback, with the servers of this checkout."""
    port = _free_port()
    settings = place.process_settings() | {
        "PINGAN_FILES_DIRECTORY": "/var/lib/pingan/files",
        "PINGAN_PROCESS": "gateway",
        "PINGAN_GATEWAY_PORT": str(port),
        "PINGAN_HEALTH_PORT": str(_free_port()),
    }
    container = buildah("from", "--pull-never", "localhost/pingan-grid-gateway")
    command = ["buildah", "--storage-driver", "vfs", "--root", str(place.state() / "images" / "root")]
    command += ["--runroot", str(place.state() / "images" / "run"), "run", "--isolation", "chroot", "--network", "host"]
    command += [f"--env={name}={value}" for name, value in settings.items()]
    command += [container, "--", "/opt/venv/bin/python", "-m", "gateway"]
    with open(place.state() / "logs" / "image-gateway.log", "w") as words:
        running = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT)
        try:
            yield port
        finally:
            running.terminate()
            running.wait(30)
            buildah("rm", container)


def ask(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def try_gateway() -> None:
    """The page, the process's life and its readiness, as a visitor and a probe ask for them. Raises Trouble."""
    with gateway_in_a_container() as port:
        end = time.monotonic() + ANSWERS_WITHIN_S
        while True:
            with contextlib.suppress(OSError):
                live, _ = ask(port, "/v1/health/live")
                break
            if time.monotonic() > end:
                raise Trouble(f"the image's gateway did not answer; see {place.LINK}/logs/image-gateway.log")
            time.sleep(0.5)
        (page, text), (ready, report) = ask(port, "/"), ask(port, "/v1/health/ready")
    say(f"the image's gateway answers: page {page}, live {live}, ready {ready} {json.loads(report)}")
    if (page, live) != (200, 200) or b"<html" not in text or ready not in (200, 503):
        raise Trouble("these are not a healthy gateway's answers")


def check_user() -> None:
    """Neither image runs as root."""
    for target in ("worker", "gateway"):
        config = json.loads(buildah("inspect", "--type", "image", f"localhost/pingan-grid-{target}"))
        user = config["OCIv1"]["config"]["User"]
        if user.partition(":")[0] != str(CONTAINER_USER):
            raise Trouble(f"pingan-grid-{target} runs as {user}, not as {CONTAINER_USER}")


def main() -> int:
    try:
        ensure_tools()
        place.make_state()
        build(base())
        check_user()
        try_gateway()
    except Skip as why:
        print(f"SKIPPED: the images were not built: {why}", flush=True)
        return 0
    except Trouble as trouble:
        return place.fail(trouble)
    say("images: ok (storage: .local/images; remove it when done)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
