"""What every connector must do, whatever its platform; `shop.Shop` is what a new one brings."""
