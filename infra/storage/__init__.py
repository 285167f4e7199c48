"""MongoDB: aggregates with their events, guards, leases, timers, copies, pages."""
