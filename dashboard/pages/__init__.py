"""The pages, a file each."""

from flask import Blueprint

PAGES: tuple[Blueprint, ...] = ()
