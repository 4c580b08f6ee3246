"""`make mutants`: takes one guard after another out of a copy of the tree; a named test must see it each time."""
