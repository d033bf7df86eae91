"""Magento 2 and Adobe Commerce: reads customers, writes customer numbers and additional data."""
