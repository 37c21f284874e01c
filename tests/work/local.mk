# tests/work
