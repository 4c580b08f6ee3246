"""The county's geometry words: coordinates, cells, topology, measures. Pure: no I/O, no services."""
