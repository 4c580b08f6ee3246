"""What `hazards` says: events, commands and refusals."""
