"""The Shopify connector: customers and companies by the Admin GraphQL API."""
