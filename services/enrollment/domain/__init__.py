"""The rules of enrollment: pure, typed, without database, web or clock. One module per aggregate."""
