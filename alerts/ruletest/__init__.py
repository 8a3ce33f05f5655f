"""Unit tests of rules, as `promtool test rules` runs them.

Format: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""
