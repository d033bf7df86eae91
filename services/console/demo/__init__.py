"""The newcomer's five minutes: Patron at work on a simulated shop, everything real but the shop."""
