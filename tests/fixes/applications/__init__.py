"""Applications that a trial needs: the lab's own, with something else in them."""
