"""One checkout, one machine: a private PostGIS, a private RabbitMQ and every process of the platform.

Standard library only: this runs before the virtual environment exists.
"""
