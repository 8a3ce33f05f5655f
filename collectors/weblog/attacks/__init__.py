"""Requests that attack: which class, by which rule, and whether it may have worked.

Sources: https://owasp.org/www-community/attacks/ https://www.drupal.org/security
"""
