"""Classical methods to compare the matching engine with; each is as good as its idea allows."""
