"""Who is calling: credentials to a short-lived token, a token to an Actor."""
