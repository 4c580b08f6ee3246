"""A seeded demo county, its staff and its days; speaks only contracts and the public API."""
