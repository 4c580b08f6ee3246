"""Benches: each prints its subject beside a reference that ran alternately on the same machine."""
