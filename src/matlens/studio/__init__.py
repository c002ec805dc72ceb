"""The local web page, as ``matlens studio`` opens it: a server for one folder of this machine, and the page."""
