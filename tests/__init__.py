"""The suite: unit, contract, integration, end-to-end and fault tests of Patron."""
