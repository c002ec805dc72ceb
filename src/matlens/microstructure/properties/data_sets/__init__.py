"""Labelled structures: reading, generating, and the symmetries that multiply them."""
