"""The callers: the HR portal, officers, supervisors, and the phones of guides and learners; HTTP only."""
