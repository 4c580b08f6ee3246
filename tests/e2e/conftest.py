"""These tests share one running platform."""

from tests.platform import platform

__all__ = ["platform"]
