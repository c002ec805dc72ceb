"""Structures from statistics alone, without a micrograph."""
