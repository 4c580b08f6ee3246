"""The same ids in all examples: one invented town."""

from __future__ import annotations

TOWN = "330499/330499101/"
GRID = "330499/330499101/330499101201/330499101201003/"
AGENCY_ID = "3f0c1f60-5a0e-5b0f-8f1e-0d2c5a7b9e10"
CASE_ID = "0192f0c2-6d11-7e64-8a2b-9c1f3e5d7b90"
UNIT_ID = "5e2d1c0b-9a8f-5e7d-8c6b-4a3f2e1d0c9b"
SHIFT_ID = "0192f0c4-1a2b-7c3d-8e4f-5a6b7c8d9e0f"
