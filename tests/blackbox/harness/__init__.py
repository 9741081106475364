"""What the black-box tests need to start the server, talk to it well and badly, and look at it from outside."""
