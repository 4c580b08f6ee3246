"""Pure rules of patrol: the life of a shift."""
