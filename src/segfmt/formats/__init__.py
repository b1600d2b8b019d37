"""The built-in formats: one module each, none of which knows another."""
