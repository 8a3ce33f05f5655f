"""Samples that others have measured: scraped, received, and our own sent on."""
