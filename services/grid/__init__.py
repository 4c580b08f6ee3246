"""The registry of the county: areas and their boundaries, agencies, jurisdictions, people, posts, places."""
