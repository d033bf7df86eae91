"""The Shopify connector, part by part."""
