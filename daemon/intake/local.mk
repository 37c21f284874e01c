# daemon/intake
