"""`scripts/pingan …`: administration from a shell on the platform's own machine."""
