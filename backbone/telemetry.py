"""What a process says about itself: JSON log lines, the context a fact travels with, metrics, health.

telemetry.configure("hazards")                      # once, first thing in a process
with telemetry.bound(Context(correlation_id=...)):  # per message or request
    log.info("case reported", case_id=...)
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from backbone.database import new_id

Check = Callable[[], bool | str]
"""True means well; False or a text (the reason) means not ready."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a fact carries of where it came from; ids match `[A-Za-z0-9_.:-]{1,64}`."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None

    @property
    def trace_id(self) -> str:
        """The W3C trace id, or the correlation id where there is no trace."""
        parts = (self.traceparent or "").split("-")
        return parts[1] if len(parts) == 4 else self.correlation_id


_context: ContextVar[Context | None] = ContextVar("pingan_context", default=None)
_process = "unnamed"


def current() -> Context:
    """The context of the work in hand; a new correlation where there is none."""
    return _context.get() or Context(correlation_id=str(new_id()))


@contextmanager
def bound(context: Context) -> Iterator[Context]:
    """Work inside the block belongs to `context`."""
    token = _context.set(context)
    try:
        yield context
    finally:
        _context.reset(token)


def configure(process: str, level: int = logging.INFO) -> None:
    """JSON lines on stdout for this process, from structlog and the standard library alike."""
    global _process
    _process = process
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # They log every connection attempt and every body they cannot route; we say that ourselves.
    for noisy in ("aiormq", "aio_pika", "amqp", "kombu", "httpx", "nameko"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def logger(name: str) -> Any:
    """A structlog logger: `log.info("event in words", key=value)`."""
    return structlog.get_logger(logger_name=name)


def _dumps(value: Any, **options: Any) -> str:
    # Half of a surrogate pair, which a header may hold, must not make the log line itself fail.
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode()


def _add_context(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    entry["process"] = _process
    context = _context.get()
    if context is not None:
        entry.setdefault("correlation_id", context.correlation_id)
        if context.traceparent:
            entry.setdefault("trace_id", context.trace_id)
    return entry


# Every metric of the backbone; docs/metrics lists the same names.
OUTBOX_BACKLOG = Gauge("pingan_outbox_backlog", "Rows not yet confirmed by the broker", ["service"])
OUTBOX_OLDEST = Gauge("pingan_outbox_oldest_seconds", "Age of the oldest unconfirmed row", ["service"])
PUBLISHED = Counter("pingan_outbox_published_total", "Events confirmed by the broker", ["service"])
PUBLISH_FAILURES = Counter("pingan_outbox_publish_failures_total", "Nacked, returned or lost publishes", ["reason"])
CONFIRM_SECONDS = Histogram(
    "pingan_outbox_confirm_seconds",
    "From publish to confirm, per batch",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BINDING_ALARMS = Counter("pingan_binding_alarms_total", "Queues or bindings found missing and restored", ["queue"])
REDRIVEN = Counter("pingan_redriven_total", "Events sent again to one queue alone", ["queue"])
QUEUE_LENGTH = Gauge("pingan_queue_length", "Messages in a queue, as the broker last said", ["queue"])
QUEUE_OVERFULL = Gauge("pingan_queue_overfull", "1 while a queue is unbound because of its length", ["queue"])
QUEUE_OLD = Gauge("pingan_queue_old", "1 while a queue's head has waited longer than its limit", ["queue"])
INBOX_APPLIED = Counter("pingan_inbox_applied_total", "Events whose effect is committed", ["queue"])
INBOX_DUPLICATES = Counter("pingan_inbox_duplicates_total", "Events that had already been applied", ["queue"])
INBOX_FAILURES = Counter("pingan_inbox_failures_total", "Handler errors, recorded for a retry", ["queue"])
INBOX_LAG = Gauge("pingan_inbox_lag_seconds", "Age of the last applied event when it was applied", ["queue"])
INBOX_PENDING = Gauge("pingan_inbox_pending", "Events waiting for a retry", ["queue"])
QUARANTINED = Counter("pingan_quarantined_total", "Events put into quarantine", ["consumer", "reason"])
DATABASE_WAITS = Counter("pingan_database_waits_total", "Times a consumer held its work for the database", ["queue"])
COMMAND_SECONDS = Histogram(
    "pingan_command_seconds",
    "From receipt to reply",
    ["command", "outcome"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
COMMANDS_TOGETHER = Histogram(
    "pingan_commands_together",
    "Commands that were tried in one transaction",
    ["outcome"],
    buckets=(1, 2, 4, 8, 16, 32),
)
TASK_RUNS = Counter("pingan_task_runs_total", "Periodic task runs", ["task", "outcome"])
JOB_RUNS = Counter("pingan_job_runs_total", "Job runs", ["kind", "outcome"])
REMOVED = Counter("pingan_retention_removed_total", "Rows removed because their time is over", ["service", "table"])
QUARANTINE_OPEN = Gauge("pingan_quarantine_open", "Quarantined messages not settled yet", ["service", "reason"])
ALARM = Gauge("pingan_alarm", "1 while an alarm stands", ["service", "code", "consumer"])


def serve_health(port: int, checks: Mapping[str, Check]) -> ThreadingHTTPServer:
    """Serves /live, /ready and /metrics in a daemon thread (a greenlet where threads are patched).

    /live answers while the process turns at all; /ready is 503 with the reasons while a check says no.
    On loopback, unless PINGAN_HEALTH_HOST says otherwise (a pod's probes come from outside it).
    """
    host = os.environ.get("PINGAN_HEALTH_HOST", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
            elif path == "/live":
                self._answer(200, b'{"status":"live"}', "application/json")
            elif path == "/ready":
                found = {name: _checked(check) for name, check in checks.items()}
                ready = all(state is True for state in found.values())
                body = json.dumps({"status": "ready" if ready else "not ready", "checks": found}).encode()
                self._answer(200 if ready else 503, body, "application/json")
            else:
                self._answer(404, b"{}", "application/json")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Probes are not news."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _checked(check: Check) -> bool | str:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a probe answers, whatever is wrong
        return f"{type(error).__name__}: {error}"
