"""Reconstruction from statistics alone, without a micrograph."""
