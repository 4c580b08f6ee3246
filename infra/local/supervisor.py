"""The supervisor: its configuration, its start, and talking to it over its socket (XML-RPC).

Everything here touches only processes of this checkout: those of our own supervisord, and orphans that
carry this state directory in their environment.
"""

import contextlib
import http.client
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from typing import Any

from infra.local import place, servers
from infra.local.place import CHECKOUT, IS_ROOT, MARK, Trouble, state, write_private
from infra.local.processes import SERVER_NAMES, Process, all_processes

BIN = CHECKOUT / ".venv" / "bin"
STOP_WAIT_S = 25


def conf_file() -> pathlib.Path:
    return state() / "run" / "supervisord.conf"


def _socket_path() -> pathlib.Path:
    """A unix socket's path may be 107 bytes long at most; a deep clone gets one under /tmp."""
    path = state() / "run" / "supervisor.sock"
    if len(str(path)) < 95:
        return path
    return pathlib.Path(f"/tmp/pingan-{os.getuid()}-{place.checkout_hash()}.sock")


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _program(process: Process) -> str:
    log = state() / "logs" / f"{process.name}.log"
    environment = {MARK: str(state()), "PINGAN_PROCESS": process.name}
    if process.is_ours:
        environment |= {"PINGAN_HEALTH_PORT": str(process.health_port), "PYTHONUNBUFFERED": "1"}
        environment["PINGAN_INSTANCE"] = place.INSTANCE  # the launcher reads this instance's settings, not another's
    directory = CHECKOUT if process.is_ours else state() / process.name.replace("epmd", "rabbitmq")
    lines = {
        "command": shlex.join(process.argv).replace("%", "%%"),
        "directory": str(directory).replace("%", "%%"),
        "environment": ",".join(f"{name}={_quoted(value)}" for name, value in environment.items()),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": "2" if process.is_ours else "1",  # what dies sooner is restarted after growing pauses
        "startretries": "1000000",  # an outage may last: never FATAL
        "stopsignal": process.stop_signal,
        "stopwaitsecs": str(STOP_WAIT_S),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(log).replace("%", "%%"),
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": "3",
        "priority": str(process.stage),
    }
    if process.user and IS_ROOT:
        lines["user"] = process.user
    return "\n".join([f"[program:{process.name}]", *(f"{name}={value}" for name, value in lines.items())]) + "\n"


def write_conf() -> None:
    run, logs = str(state() / "run").replace("%", "%%"), str(state() / "logs").replace("%", "%%")
    head = f"""\
[unix_http_server]
file={str(_socket_path()).replace("%", "%%")}
chmod=0600

[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={run}
minfds=4096
{"user=root" if IS_ROOT else ""}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

"""
    write_private(conf_file(), head + "\n".join(map(_program, all_processes())))


# Talking to it --------------------------------------------------------------------------------------


class _SocketTransport(xmlrpc.client.Transport):
    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost", timeout=60)
        unix = socket.socket(socket.AF_UNIX)
        unix.settimeout(60)
        unix.connect(str(_socket_path()))
        connection.sock = unix
        self._connection = host, connection  # so that closing the proxy closes it
        return connection


def call(method: str, *arguments: object) -> Any:
    proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_SocketTransport())
    with proxy:
        return getattr(proxy.supervisor, method)(*arguments)


def is_up() -> bool:
    try:
        return bool(call("getState")["statename"] == "RUNNING")
    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
        return False


def states() -> dict[str, dict[str, Any]]:
    """name -> what the supervisor knows of it; empty when it is down."""
    try:
        return {row["name"]: row for row in call("getAllProcessInfo")}
    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
        return {}


def start_supervisord() -> None:
    """Starts it in a session of its own, so that Ctrl-C reaches us and not its children."""
    write_conf()
    kept = ("PATH", "HOME", "LANG", "TZ", "USER", "SSL_CERT_FILE")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    command = [str(BIN / "supervisord"), "-c", str(conf_file())]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, start_new_session=True
    )
    if done.returncode:
        raise Trouble(f"supervisord does not start:\n{done.stdout}{done.stderr}")
    wait_for(is_up, 10, "the supervisor")


def reload_conf() -> None:
    """Makes a running supervisor know processes that were added to or changed in the list."""
    write_conf()
    added, changed, removed = call("reloadConfig")[0]
    for name in (*changed, *removed):
        stop([name])
        call("removeProcessGroup", name)
    for name in (*added, *changed):
        call("addProcessGroup", name)


def start(names: Iterable[str]) -> None:
    known = states()
    for name in names:
        if known.get(name, {}).get("statename") not in ("RUNNING", "STARTING", "BACKOFF"):
            with contextlib.suppress(xmlrpc.client.Fault):  # lost a race, or died at once: it is being retried
                call("startProcess", name, False)


def stop(names: Iterable[str]) -> None:
    """Stops these and waits; the supervisor kills what ignores its signal."""
    names = list(names)
    for name in names:
        with contextlib.suppress(xmlrpc.client.Fault):
            call("stopProcess", name, False)
    settled = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
    wait_for(
        lambda: all(row["statename"] in settled for name, row in states().items() if name in names),
        STOP_WAIT_S + 10,
        ", ".join(names) + " to stop",
    )


def stop_in_order(with_servers: bool) -> None:
    """Gateway first, then services, relay, and at the end the broker and the database."""
    listed = [process for process in all_processes() if with_servers or process.name not in SERVER_NAMES]
    for stage in sorted({process.stage for process in listed}, reverse=True):
        stop([process.name for process in listed if process.stage == stage])
    if with_servers:
        pid = call("getPID")
        call("shutdown")
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists() or not is_up(), 30, "the supervisor to end")


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(f"waited {seconds:.0f} s for {what} in vain")
        time.sleep(0.1)


# What an earlier, killed supervisor left behind ------------------------------------------------------


def orphans() -> list[int]:
    """Processes of this checkout that no supervisor owns: marked by environment, or our postmaster."""
    mark = f"{MARK}={state()}".encode()
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (directory / "environ").read_bytes().split(b"\0"):
                found.append(int(directory.name))
    postmaster = servers.postmaster_pid()
    return [pid for pid in found if pid != postmaster] + ([postmaster] if postmaster else [])


def stop_orphans() -> None:
    """Only called when our supervisor is down: whatever still runs of this checkout has no owner."""
    if not orphans():
        return
    place.say(f"stopping {len(orphans())} processes that a killed supervisor left behind")
    for last_resort in (False, True):
        for pid in orphans():
            polite = signal.SIGINT if pid == servers.postmaster_pid() else signal.SIGTERM
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if last_resort else polite)
        with contextlib.suppress(Trouble):
            wait_for(lambda: not orphans(), STOP_WAIT_S, "them")
            return
    raise Trouble(f"processes {orphans()} do not end")
