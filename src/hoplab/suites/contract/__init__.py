"""The contract: what every topology is asked."""
