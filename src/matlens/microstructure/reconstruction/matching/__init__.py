"""The matching engine: a field is moved until its features and statistics are the exemplar's."""
