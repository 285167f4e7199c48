"""The sessions service: sessions, confirmations, JP credit, endorsements."""
