"""grid's rules, pure: codes, the reading of an import, what a report says."""
