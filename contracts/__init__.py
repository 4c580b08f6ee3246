"""What the services say to each other: types only, no I/O and no rules."""
