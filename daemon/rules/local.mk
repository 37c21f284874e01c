# daemon/rules
