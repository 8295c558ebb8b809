"""An FTP server by pyftpdlib: python3 pyftpd.py ADDRESS USER PASSWORD HOME UID. Listens on port 21, then works as UID."""
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

address, user, password, home, uid = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, home, perm="elradfmw")
FTPHandler.authorizer = authorizer
server = FTPServer((address, 21), FTPHandler)
os.setuid(int(uid))
server.serve_forever()
