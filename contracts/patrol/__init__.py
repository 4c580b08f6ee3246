"""What `patrol` says: events, commands and refusals."""
