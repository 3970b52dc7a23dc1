"""Applications of the variations in `variations/`: wrong in one point each, on purpose."""
