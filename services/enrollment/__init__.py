"""Enrollment: units, employees, competencies, needs, batches, participants, certificates, pairings, skills."""
