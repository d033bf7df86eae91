"""The sandbox Shopify: its rules, its search, its limits."""
