"""Starts one platform process with the settings of the moment: `python -m infra.local.launch <name>`.

The supervisor may be older than `.local/env` (`make infra` keeps it), so settings are read here, at each start,
and never stand in its configuration. A process knows neither the superuser nor the schemas' owners.
"""

import os
import sys

from infra.local import place
from infra.local.processes import PLATFORM, PYTHON


def environment() -> dict[str, str]:
    """What the supervisor gives, without older settings, and with today's."""
    given = {name: value for name, value in os.environ.items() if name not in place.load_settings()}
    return given | place.process_settings()


def main(name: str) -> None:
    process = next(each for each in PLATFORM if each.name == name)
    os.execve(PYTHON, [PYTHON, "-m", *process.module.split()], environment())


if __name__ == "__main__":
    main(sys.argv[1])
