# tests/publish
