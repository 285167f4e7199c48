"""The figures, one module each: what is measured, over what, and why that is fair."""
