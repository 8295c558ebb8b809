"""An FTP server by pyftpdlib: python3 pyftpd.py ADDRESS USER PASSWORD HOME UID. Listens on port 21, then works as UID."""
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import MultiprocessFTPServer

address, user, password, home, uid = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, home, perm="elradfmw")
FTPHandler.authorizer = authorizer
# A process for each session: with many sessions in one loop, version 1.5.7 now and then forgets to watch a listening socket that
# has got the number of one just closed, and the session hangs, firewall or not.
server = MultiprocessFTPServer((address, 21), FTPHandler)
os.setuid(int(uid))
server.serve_forever()
