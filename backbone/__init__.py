"""How services speak, safely: the only rooms that know RabbitMQ, and the database's manners."""
