# daemon/publish
