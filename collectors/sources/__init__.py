"""The only input and output of collectors: files, HTTP, sockets, processes, raising what collectors/errors.py names."""
