"""What `grid` says: events, commands and refusals."""
