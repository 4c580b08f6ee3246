#!/usr/bin/env python3
"""A webhook receiver for trying things out: checks Standard Webhooks signatures, keeps what is genuine.

    receiver.py --secret-file F --out FILE --port-file FILE

Standard library alone. A delivery whose signature or age is wrong gets 401 and is not kept; a second
delivery of the same id gets 204 and is kept once, as every receiver of at-least-once must do.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import time

TOLERANCE_S = 300


def is_genuine(secret: str, headers, body: bytes, now: float) -> bool:
    """Standard Webhooks v1: HMAC-SHA256 over `id.timestamp.body`, any of the space-separated signatures."""
    identity, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identity or not stamp.isdigit() or abs(now - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{identity}.{stamp}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [
        part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")
    ]
    return any(hmac.compare_digest(right, each) for each in given)


def handler(secret_file: pathlib.Path, out: pathlib.Path) -> type[http.server.BaseHTTPRequestHandler]:
    seen: set[str] = set()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            secret = secret_file.read_text().strip() if secret_file.exists() else ""
            if not secret or not is_genuine(secret, self.headers, body, time.time()):
                self.answer(401)
                return
            identity = self.headers["webhook-id"]
            if identity not in seen:
                seen.add(identity)
                with out.open("a") as file:
                    file.write(
                        json.dumps({"webhook_id": identity, "body": json.loads(body)}, ensure_ascii=False) + "\n"
                    )
            self.answer(204)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Receiver


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secret-file", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--port-file", type=pathlib.Path, required=True)
    chosen = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(chosen.secret_file, chosen.out))
    chosen.port_file.write_text(str(server.server_port))
    server.serve_forever()


if __name__ == "__main__":
    main()
