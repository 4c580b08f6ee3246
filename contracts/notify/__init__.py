"""What `notify` says: events, commands and refusals."""
