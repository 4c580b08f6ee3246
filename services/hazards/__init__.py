"""hazards: cases of hazards, disputes and requests, from the report to the verified close."""
