"""BigCommerce and its B2B Edition: reads customers and companies, writes numbers and data back."""
