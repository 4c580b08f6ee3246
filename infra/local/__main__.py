"""Command line of the local platform: `python3 infra/local <command>`; `make help` says what each does."""

import argparse
import os
import pathlib
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whatever python3 is here
    sys.exit("Ping'an Grid needs Python 3.11; on Debian 12: apt-get install python3 python3-venv")

sys.path[:] = [entry for entry in sys.path if pathlib.Path(entry).resolve() != pathlib.Path(__file__).resolve().parent]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

if sys.argv[1:2] == ["test"]:
    os.environ.setdefault("PINGAN_INSTANCE", "test")

from infra.local import bootstrap, lifecycle, place  # noqa: E402

COMMANDS = ("bootstrap", "infra-up", "infra-down", "run", "up", "down", "status", "logs", "reset", "test")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 infra/local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--dev", action="store_true", help="bootstrap: also what tests and checks need")
    parser.add_argument("--json", action="store_true", help="status: for programs")
    parser.add_argument("--process", default="", help="logs: of this process only")
    parser.add_argument("paths", nargs="*", help="test: only these (pytest's own options after --)")
    chosen = parser.parse_args()
    try:
        match chosen.command:
            case "bootstrap":
                bootstrap.ensure("dev" if chosen.dev else "runtime")
            case "infra-up":
                lifecycle.infra_up()
            case "infra-down":
                lifecycle.infra_down()
            case "status":
                return lifecycle.status(chosen.json)
            case "test":
                return lifecycle.test(chosen.paths)
            case "logs":
                lifecycle.logs(chosen.process)
            case "run" | "up" | "down" | "reset":
                getattr(lifecycle, chosen.command)()
    except place.Trouble as trouble:
        return place.fail(trouble)
    except KeyboardInterrupt:
        return 130
    return 0


sys.exit(main())
