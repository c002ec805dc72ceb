"""Feature matching: a field is optimised until its features and statistics match the exemplar's."""
