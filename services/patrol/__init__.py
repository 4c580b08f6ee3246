"""Patrol: units, shifts, and where units on duty were."""
