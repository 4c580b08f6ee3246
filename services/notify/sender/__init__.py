"""The process that sends webhooks: `python -m services.notify.sender`, as many at once as you like."""
