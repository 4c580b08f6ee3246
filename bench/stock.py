"""The reference of B3 and B7: a stock nameko service, used as its documentation shows.

`python -m bench.stock service` runs it, `python -m bench.stock gateway PORT` the FastAPI in front of it.
STOCK_DATABASE_URL and STOCK_BROKER_URL say where.
"""

from __future__ import annotations

import sys


def service() -> None:
    """Commit, then dispatch; handlers one event at a time. Ten workers, nameko's default."""
    import eventlet

    eventlet.monkey_patch()

    import os

    import psycopg2
    from eventlet.hubs import trampoline
    from eventlet.queue import Queue
    from nameko.events import EventDispatcher, event_handler
    from nameko.rpc import rpc
    from nameko.runners import ServiceRunner
    from psycopg2 import extensions

    def green(connection: object) -> None:
        while True:
            state = connection.poll()  # type: ignore[attr-defined]
            if state == extensions.POLL_OK:
                return
            trampoline(connection.fileno(), read=state == extensions.POLL_READ, write=state == extensions.POLL_WRITE)  # type: ignore[attr-defined]

    extensions.set_wait_callback(green)
    pool: Queue = Queue()
    for _ in range(10):
        pool.put(psycopg2.connect(os.environ["STOCK_DATABASE_URL"]))

    def write(statement: str, *parameters: object) -> None:
        connection = pool.get()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, parameters)
        finally:
            pool.put(connection)

    class Stock:
        name = "stock"
        dispatch = EventDispatcher()

        @rpc  # type: ignore[untyped-decorator]
        def report(self, case_id: str, body: str) -> str:
            write("INSERT INTO stock_cases (id, body) VALUES (%s, %s)", case_id, body)
            self.dispatch("reported", {"case_id": case_id, "body": body})
            return case_id

        @rpc  # type: ignore[untyped-decorator]
        def burst(self, count: int, body: str) -> int:
            for number in range(count):
                self.dispatch("burst", {"case_id": number, "body": body})
            return count

        @event_handler("stock", "burst")  # type: ignore[untyped-decorator]
        def on_burst(self, payload: dict[str, object]) -> None:
            write("INSERT INTO stock_effects (body) VALUES (%s)", payload["body"])

    runner = ServiceRunner({"AMQP_URI": os.environ["STOCK_BROKER_URL"]})
    runner.add_service(Stock)
    runner.start()
    runner.wait()


def gateway(port: int) -> None:
    """A FastAPI endpoint calling it through nameko's own client, one per thread of the pool."""
    import os
    import threading
    import uuid

    import uvicorn
    from fastapi import Body, FastAPI
    from nameko.standalone.rpc import ClusterRpcProxy

    app = FastAPI()
    local = threading.local()

    @app.post("/cases", status_code=201)
    def report(body: str = Body(embed=True)) -> dict[str, str]:
        if not hasattr(local, "cluster"):
            local.cluster = ClusterRpcProxy({"AMQP_URI": os.environ["STOCK_BROKER_URL"]}).start()
        return {"case_id": local.cluster.stock.report(str(uuid.uuid4()), body)}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    service() if sys.argv[1] == "service" else gateway(int(sys.argv[2]))
