"""What the workers share: the domain, and the ports and adapters around it."""
