# tests/serve
