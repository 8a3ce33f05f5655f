"""How to read one system: a module, or a folder when it is big. The registry names them all."""
