"""What counts as satisfied. Pure."""

SATISFIED = 4
"""Four of five and more; three is neither satisfied nor a reason to appeal."""
