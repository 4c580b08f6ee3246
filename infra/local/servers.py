"""The private PostgreSQL cluster and the private RabbitMQ node: their files, their start, their health.

Both listen on 127.0.0.1 only, on ports of this checkout. For root they run as the users `postgres` and
`rabbitmq`. fsync, full_page_writes and synchronous_commit stay on: what was confirmed survives a kill -9.
"""

import base64
import os
import pathlib
import re
import shutil
import subprocess
import urllib.error
import urllib.request

from infra.local import place
from infra.local.place import BROKER_USER, DATABASE, IS_ROOT, VHOST, Trouble, say, secret, state, write_private

PG_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
RABBITMQ_SERVER = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # /usr/sbin's wrapper wants root
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

POSTGRES_CONF = """\
# written at every start by infra/local/servers.py
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 300
shared_buffers = '{shared_buffers}MB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
max_wal_size = '2GB'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
password_encryption = 'scram-sha-256'
fsync = on
full_page_writes = on
synchronous_commit = on
"""

RABBITMQ_CONF = """\
# written at every start by infra/local/servers.py
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_vhost = {vhost}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
loopback_users.{user} = true
log.console = true
log.console.level = info
log.file = false
raft.wal_max_size_bytes = 67108864
collect_statistics_interval = 5000
"""


def _own_directory(name: str, user: str) -> pathlib.Path:
    directory = state() / name
    directory.mkdir(mode=0o700, exist_ok=True)
    if IS_ROOT:
        shutil.chown(directory, user, user)
    return directory


def _as_user(user: str) -> list[str]:
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if IS_ROOT else []


# PostgreSQL -----------------------------------------------------------------------------------------


def prepare_postgres() -> None:
    """Makes the cluster when there is none, and writes its configuration."""
    home = _own_directory("postgres", "postgres")
    data = home / "data"
    if not (data / "PG_VERSION").exists() or (home / "initdb.unfinished").exists():
        say("creating a private PostgreSQL cluster")
        shutil.rmtree(data, ignore_errors=True)
        (home / "initdb.unfinished").touch()
        password = home / "password"
        write_private(password, secret("postgres"), owner="postgres")
        command = [str(PG_BIN / "initdb"), "-D", str(data), "--username=postgres", f"--pwfile={password}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(_as_user("postgres") + command, cwd=home, capture_output=True, text=True)
        password.unlink()
        if done.returncode:
            raise Trouble(f"initdb failed:\n{done.stdout}{done.stderr}")
        with open(data / "postgresql.conf", "a") as conf:
            conf.write("\ninclude '../pingan.conf'\n")
        (home / "initdb.unfinished").unlink()
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    shared_buffers = max(64, min(512, memory_mb // 8))
    text = POSTGRES_CONF.format(port=place.ports()["postgres"], shared_buffers=shared_buffers)
    write_private(home / "pingan.conf", text, owner="postgres")


def postgres_command() -> list[str]:
    """Runs the postmaster in the foreground with a clean environment."""
    data = state() / "postgres" / "data"
    environment = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "HOME": str(state() / "postgres")}
    return [*_clean(environment), str(PG_BIN / "postgres"), "-D", str(data)]


def postmaster_pid() -> int | None:
    """The pid of this checkout's running postmaster, also when no supervisor owns it any more."""
    file = state() / "postgres" / "data" / "postmaster.pid"
    try:
        pid = int(file.read_text().splitlines()[0])
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (OSError, ValueError, IndexError):
        return None
    return pid if str(file.parent) in command else None


def psql(sql: str, database: str = "postgres") -> str:
    """Runs one statement as the superuser; raises Trouble with the server's words."""
    port = str(place.ports()["postgres"])
    command = [str(PG_BIN / "psql"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", database]
    command += ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
    environment = {"PATH": SEARCH_PATH, "PGPASSWORD": secret("postgres"), "PGCONNECT_TIMEOUT": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Trouble(done.stderr.strip())
    return done.stdout.strip()


def postgres_is_healthy() -> bool:
    try:
        return psql("SELECT 1") == "1"
    except (Trouble, subprocess.TimeoutExpired):
        return False


def make_database() -> None:
    """Creates the platform's database when it is missing."""
    if not psql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
        psql(f"CREATE DATABASE {DATABASE}")


# RabbitMQ -------------------------------------------------------------------------------------------


def prepare_rabbitmq() -> None:
    """Writes the node's configuration; user and vhost are made by the node at its first boot."""
    home = _own_directory("rabbitmq", "rabbitmq")
    port = place.ports()
    conf = RABBITMQ_CONF.format(
        amqp=port["amqp"], management=port["management"], vhost=VHOST, user=BROKER_USER, password=secret("broker")
    )
    write_private(home / "rabbitmq.conf", conf, owner="rabbitmq")
    write_private(home / "enabled_plugins", "[rabbitmq_management].\n", owner="rabbitmq")
    write_private(home / "rabbitmq-env.conf", "", owner="rabbitmq")
    write_private(home / ".erlang.cookie", secret("erlang_cookie"), 0o400, owner="rabbitmq")
    for name in ("mnesia", "log"):
        _own_directory(f"rabbitmq/{name}", "rabbitmq")


def rabbitmq_environment() -> dict[str, str]:
    """Everything the node needs to know of itself, and nothing of the machine's own RabbitMQ."""
    home, port = state() / "rabbitmq", place.ports()
    return {
        "PATH": SEARCH_PATH,
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"pingan_{place.checkout_hash()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port["amqp"]),
        "RABBITMQ_DIST_PORT": str(port["erlang"]),
        "ERL_EPMD_PORT": str(port["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # With it the script execs the Erlang VM, so the supervised pid is the broker itself.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    }


def epmd_command() -> list[str]:
    port = str(place.ports()["epmd"])
    environment = {"PATH": SEARCH_PATH, "HOME": str(state() / "rabbitmq")}
    return [*_clean(environment), _epmd(), "-address", "127.0.0.1", "-port", port]


def rabbitmq_command() -> list[str]:
    return [*_clean(rabbitmq_environment()), str(RABBITMQ_SERVER)]


def rabbitmqctl_command(*arguments: str) -> list[str]:
    """One call of the node's own command line."""
    program = str(RABBITMQ_SERVER.with_name("rabbitmqctl"))
    return [*_as_user("rabbitmq"), *_clean(rabbitmq_environment()), program, *arguments]


def broker_api(path: str, timeout_s: float = 3) -> bytes | None:
    """GET on the management API; None when it does not answer 200."""
    request = urllib.request.Request(f"http://127.0.0.1:{place.ports()['management']}/api/{path}")
    token = base64.b64encode(f"{BROKER_USER}:{secret('broker')}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return bytes(answer.read())
    except (OSError, urllib.error.URLError):
        return None


def rabbitmq_is_healthy() -> bool:
    return broker_api(f"vhosts/{VHOST}") is not None and broker_api("health/checks/local-alarms") is not None


def _clean(environment: dict[str, str]) -> list[str]:
    """`env -i …`: a server inherits none of the platform's secrets, only the mark of its checkout."""
    environment = environment | {place.MARK: str(state())}
    return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items())]


def _epmd() -> str:
    """Erlang's port mapper, from the newest runtime that is installed."""
    found = sorted(pathlib.Path("/usr/lib/erlang").glob("erts-*/bin/epmd"), key=_version)
    if not found:
        raise Trouble("epmd is missing under /usr/lib/erlang; it comes with the package erlang-base")
    return str(found[-1])


def _version(path: pathlib.Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", path.parts[-3])]
