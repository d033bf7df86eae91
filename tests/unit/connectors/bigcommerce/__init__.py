"""The BigCommerce connector."""
