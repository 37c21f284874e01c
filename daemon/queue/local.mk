# daemon/queue
