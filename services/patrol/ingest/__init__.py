"""Ingest: batches of positions from RabbitMQ to day partitions, in columns from end to end.

`pipeline` is what happens to fixes, one ordered list; `roster` who was on duty when; `places` which area;
`rows` binary COPY; `store` the transaction; `__main__` the process.
"""
