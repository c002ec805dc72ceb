"""Sensitivity of property models to single pixels, compared with solved pixel flips."""
