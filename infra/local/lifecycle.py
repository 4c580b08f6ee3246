"""Bringing the platform up, watching it and taking it down, in the right order."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import FrameType

from infra.local import bootstrap, place, servers, supervisor
from infra.local.place import CHECKOUT, Trouble, only_one, say, state
from infra.local.processes import PLATFORM, PYTHON, SERVER_NAMES, Process

HEALTHY_WITHIN_S = 60


# Servers --------------------------------------------------------------------------------------------


def infra_up(keep: bool = True) -> None:
    """PostgreSQL and RabbitMQ in the background; returns when both are healthy and the roles exist.

    keep: they stay when the platform is stopped later, until `infra-down`.
    """
    bootstrap.ensure("runtime")
    with only_one():
        _start_servers()
        _wait_postgres()
        _apply_roles()
        _wait_rabbitmq()
        if keep:
            _kept().touch()
    port = place.ports()
    say(
        f"PostgreSQL 127.0.0.1:{port['postgres']}, RabbitMQ 127.0.0.1:{port['amqp']}, settings in {place.LINK.name}/env"
    )


def infra_down() -> None:
    with only_one():
        _kept().unlink(missing_ok=True)
        _stop(with_servers=True)
    say("stopped")


def _kept() -> pathlib.Path:
    return state() / "run" / "infra-kept"


def _start_servers() -> None:
    if supervisor.is_up():
        place.make_settings()
        supervisor.reload_conf()
    else:
        supervisor.stop_orphans()
        place.make_settings(renew_ports_if_taken=True)
        servers.prepare_postgres()
        servers.prepare_rabbitmq()
        say("starting PostgreSQL and RabbitMQ")
        supervisor.start_supervisord()
    supervisor.start(SERVER_NAMES)


def _wait_postgres() -> None:
    _wait_server("postgres", servers.postgres_is_healthy)
    servers.make_database()


def _wait_rabbitmq() -> None:
    _wait_server("rabbitmq", servers.rabbitmq_is_healthy)


def _wait_server(name: str, healthy: Callable[[], bool]) -> None:
    try:
        supervisor.wait_for(healthy, HEALTHY_WITHIN_S, name)
    except Trouble as trouble:
        raise Trouble(f"{trouble}; the end of its log:\n{_log_end(name)}") from None


def _apply_roles() -> None:
    _python("-m", "infra.postgis.roles", as_superuser=True)


def _python(*arguments: str, as_superuser: bool = False, shown: bool = True) -> str:
    """Runs a module of ours with the settings of this checkout; what it prints is shown as it comes, or returned."""
    settings = place.load_settings()
    if not as_superuser:
        settings = {name: value for name, value in settings.items() if name != place.ADMIN_URL}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")} | settings
    output = None if shown else subprocess.PIPE
    done = subprocess.run([PYTHON, *arguments], cwd=CHECKOUT, env=environment, stdout=output, text=True)
    if done.returncode:
        raise Trouble(f"`python {' '.join(arguments)}` ended with {done.returncode}")
    return done.stdout or ""


# Platform -------------------------------------------------------------------------------------------


def up() -> None:
    """Everything, in the background; returns when every process is ready."""
    bootstrap.ensure("runtime")
    bootstrap.ensure_console()
    with only_one():
        began = time.monotonic()
        _start_servers()
        _wait_postgres()
        _apply_roles()
        say("migrating each schema as its owner")
        _python("-m", "cli", "migrate")
        _wait_rabbitmq()
        say("declaring the topology")
        _python("-m", "cli", "topology", "declare")
        say("starting the processes")
        supervisor.start(process.name for process in PLATFORM)
        _wait_ready()
        if _demo() and not _demo_page().exists():
            say("loading the demo county (once)")
            _python("-m", "cli", "demo", "load")
            place.write_private(_demo_page(), _python("-m", "cli", "demo", "accounts", shown=False))
            _wait_ready(quiet=True)
        say(f"healthy after {time.monotonic() - began:.0f} s")
    _print_addresses()


def _print_addresses() -> None:
    address = f"http://127.0.0.1:{place.ports()['gateway']}"
    print(f"\n    page   {address}\n    API    {address}/v1\n    docs   {address}/docs\n", flush=True)
    if _demo():
        print(_demo_page().read_text(), end="", flush=True)


def _demo() -> bool:
    return place.load_settings().get("PINGAN_DEMO") == "1"


def _demo_page() -> pathlib.Path:
    """The printed accounts of a county that was loaded whole, by what decides its content; absent until then."""
    digest = hashlib.sha256(
        repr(sorted(item for item in place.load_settings().items() if "COUNTY" in item[0])).encode()
    )
    for file in sorted([*(CHECKOUT / "simulator").glob("*.py"), CHECKOUT / "cli" / "demo.py"]):
        digest.update(file.read_bytes())
    return state() / f"demo-{digest.hexdigest()[:12]}.txt"


def _answers(process: Process, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.health_port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _wait_ready(quiet: bool = False) -> None:
    waiting = list(PLATFORM)
    end = time.monotonic() + HEALTHY_WITHIN_S
    while waiting:
        for process in [process for process in waiting if _answers(process, "/ready")]:
            waiting.remove(process)
            done = len(PLATFORM) - len(waiting)
            if not quiet:
                print(f"    ready {done:2}/{len(PLATFORM)}  {process.name}", flush=True)
        if time.monotonic() > end:
            logs = "\n".join(f"--- {process.name}\n{_log_end(process.name)}" for process in waiting)
            names = ", ".join(process.name for process in waiting)
            raise Trouble(f"not ready within {HEALTHY_WITHIN_S} s: {names}\n{logs}")
        time.sleep(0.2)


def _log_end(name: str, lines: int = 15) -> str:
    file = state() / "logs" / f"{name}.log"
    text = file.read_text(errors="replace") if file.exists() else "(no log)"
    return "\n".join(line[:500] for line in text.splitlines()[-lines:])


def down() -> None:
    with only_one():
        if not supervisor.is_up() and not supervisor.orphans():
            say("nothing is running")
            return
        _stop(with_servers=not _kept().exists())
        say("stopped" + ("; PostgreSQL and RabbitMQ stay (make infra-down)" if _kept().exists() else ""))


def _stop(with_servers: bool) -> None:
    if supervisor.is_up():
        supervisor.stop_in_order(with_servers)
    if with_servers:
        supervisor.stop_orphans()


def run() -> None:
    """`up`, then stays in the foreground; Ctrl-C, SIGTERM or a closed terminal stop everything in order."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell's background job ignores SIGINT otherwise
        signal.signal(number, _as_interrupt)
    try:
        up()
        say("running; Ctrl-C stops everything in order")
        _watch()
    except KeyboardInterrupt:
        print(flush=True)
        say("stopping: gateway, services, relay, broker, database")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        down()


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _watch() -> None:
    """Tells when a process came back; ends when the supervisor was taken down from elsewhere."""
    started = {name: row["start"] for name, row in supervisor.states().items()}
    while rows := supervisor.states():
        for name, row in rows.items():
            if row["statename"] == "RUNNING" and row["start"] != started.get(name):
                say(f"{name} was restarted (pid {row['pid']})")
                started[name] = row["start"]
        if all(rows[process.name]["statename"] == "STOPPED" for process in PLATFORM):
            break
        time.sleep(1)
    say("the platform was taken down by another command")


# Testing on it --------------------------------------------------------------------------------------

IN_PARALLEL = ("unit", "architecture", "contracts", "integration", "k8s")
WORKERS = str(min(os.cpu_count() or 2, 4) + 1)
"""One more than there are cores: whoever waits for a process, a lease or a timeout leaves its core to the others."""


def test(paths: list[str]) -> int:
    """pytest on an instance of its own (`.local-test`), stopped afterwards; 0 when all passed."""
    bootstrap.ensure("dev")
    bootstrap.ensure_console(strict=True)
    infra_up()
    pytest = [str(CHECKOUT / ".venv" / "bin" / "python"), "-m", "pytest"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
    environment["PINGAN_INSTANCE"] = place.INSTANCE
    runs = [[*pytest, *paths]] if paths else [[*pytest, *part] for part in _parts()]
    try:
        return max(subprocess.run(run, cwd=CHECKOUT, env=environment).returncode for run in runs)
    finally:
        infra_down()


def _parts() -> list[list[str]]:
    """Isolated tests side by side; then, one after another, those that share a running platform, faults last."""
    folders = sorted(
        (folder for folder in (CHECKOUT / "tests").iterdir() if any(folder.rglob("test_*.py"))),
        key=lambda folder: (folder.name == "faults", folder.name),
    )
    isolated = [f"tests/{folder.name}" for folder in folders if folder.name in IN_PARALLEL]
    sharing = [f"tests/{folder.name}" for folder in folders if folder.name not in IN_PARALLEL]
    return [["-n", WORKERS, *isolated], *([sharing] if sharing else [])]


# Looking at it --------------------------------------------------------------------------------------


def status(as_json: bool = False) -> int:
    """One line per process; 0 when every process of the platform is ready."""
    rows, ready = supervisor.states(), {process.name: _answers(process, "/ready") for process in PLATFORM}
    if rows:
        ready |= {"postgres": servers.postgres_is_healthy(), "rabbitmq": servers.rabbitmq_is_healthy()}
    if as_json:
        table = {name: {"state": row["statename"], "pid": row["pid"]} for name, row in rows.items()}
        for name, row in table.items():
            row |= {"ready": ready.get(name), "port": place.ports().get(f"health-{name}")}
        print(json.dumps(table, indent=1))
    elif not rows:
        print("down")
    else:
        print(f"{'process':15}{'state':10}{'pid':>8}  {'up':>8}  ready  health port")
        for name, row in sorted(rows.items(), key=lambda item: item[1]["group"]):
            age = f"{row['now'] - row['start']} s" if row["statename"] == "RUNNING" else ""
            mark = {True: "yes", False: "no", None: ""}[ready.get(name)]
            health = place.ports().get(f"health-{name}", "")
            print(f"{name:15}{row['statename']:10}{row['pid'] or '':>8}  {age:>8}  {mark:5}  {health}")
    return 0 if rows and all(ready.values()) else 1


def logs(name: str = "") -> None:
    """Follows the logs of every process, or of one."""
    files = sorted((state() / "logs").glob(f"{name or '*'}.log"))
    if not files:
        raise Trouble(f"no log {name!r} under .local/logs")
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, files)])


def reset() -> None:
    """Empties database, broker, files, logs and secrets; the ports stay."""
    with only_one():
        if supervisor.is_up() or supervisor.orphans():
            raise Trouble("something is running; stop it first: make down infra-down")
        for item in state().iterdir():
            if item.name in ("run", "ports.json"):
                continue
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    say(f"emptied {state()}")
