"""notify: the journal of all that happened, and who is told of it."""
