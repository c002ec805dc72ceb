"""Classical methods of reconstruction, as references for feature matching."""
