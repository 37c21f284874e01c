# tests/queue
