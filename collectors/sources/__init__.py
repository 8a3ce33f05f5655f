"""The only input and output of collectors: files, HTTP, sockets, processes. They raise what collectors/errors.py names."""
