# daemon/serve
