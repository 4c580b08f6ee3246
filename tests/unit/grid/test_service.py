"""The nameko class answers every command that its contracts list."""

from __future__ import annotations

import inspect

import contracts.grid.commands
from contracts.commands import Announce, Command
from services.grid.service import GridService


def test_every_command_of_grid_has_a_method() -> None:
    offered = {
        each
        for _, each in inspect.getmembers(contracts.grid.commands, inspect.isclass)
        if issubclass(each, Command) and each is not Command
    }
    answered = {
        entrypoint.command_class
        for _, method in inspect.getmembers(GridService, inspect.isfunction)
        for entrypoint in getattr(method, "nameko_entrypoints", ())
        if hasattr(entrypoint, "command_class")
    }
    assert answered == {*offered, Announce}
