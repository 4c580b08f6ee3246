"""How Ping'an Grid is run: on one machine, in images, on Kubernetes."""
