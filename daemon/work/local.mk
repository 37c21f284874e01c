# daemon/work
