"""The RabbitMQ adapter against real brokers: provisioning, the wire, faults."""
