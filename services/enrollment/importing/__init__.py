"""Imports: files of employees, units and skills, read as HR systems write them and taken in as jobs."""
