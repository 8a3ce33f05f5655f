"""The small part of PHP that settings files are written in: read as text, never run.

Source: https://www.php.net/manual/en/langref.php
"""
