"""From what a foreign deployment answers to what is wrong with it, and why. Used by `doctor`."""
