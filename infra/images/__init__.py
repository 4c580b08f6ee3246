"""The images that Kubernetes runs, and their trial."""
