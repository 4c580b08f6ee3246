"""The gateway's own schema: credentials, sessions, what an account may do and see, and the read audit."""
