"""Debian's Python has its own idea of package folders frozen into the binary (dist-packages); images use site-packages."""

import site
import sys


def site_packages(prefixes=None):
    folders = [f"{prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages" for prefix in prefixes or site.PREFIXES]
    return list(dict.fromkeys(folders))


# In a virtual environment Debian's Python already does what everybody expects.
if sys.prefix == sys.base_prefix:
    site.getsitepackages = site_packages
    for folder in site_packages():
        site.addsitedir(folder)
