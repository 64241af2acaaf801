#!/bin/sh
# Runs as mmdebstrap's customize hook: $1 is the root folder of the new system. Turns Debian's Python into one that lives
# where the python images of Docker Hub have theirs (/usr/local), and leaves uv and the exact versions in /out for the caller.
# Reads UV_VERSION, and CA_BUNDLE (the machine's certificates, used only while this script runs).
set -eu
root=$1
out=$root/out
mkdir -p "$out"

in_root() { chroot "$root" /usr/bin/env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

# usrmerge brings the whole of perl only to find that there is nothing to merge.
in_root apt-get -qq -y install usr-is-merged usrmerge- >/dev/null

# --- Python, moved from /usr to /usr/local
lib=$root/usr/local/lib/python3.11
mkdir -p "$root/usr/local/bin" "$lib"
cp -a "$root/usr/bin/python3.11" "$root/usr/local/bin/"
ln -s python3.11 "$root/usr/local/bin/python3"
ln -s python3.11 "$root/usr/local/bin/python"
cp -a "$root/usr/lib/python3.11/." "$lib/"
cp -a "$root/usr/share/python-wheels" "$out/"
find "$lib" -depth -type d -name __pycache__ -exec rm -rf {} +
for leftover in EXTERNALLY-MANAGED sitecustomize.py _distutils_system_mod.py test lib2to3; do rm -rf "${lib:?}/$leftover"; done
mkdir -p "$lib/site-packages"
# Debian's own install layout (dist-packages) would put packages where no one looks for them.
sed -i "s/prefix_scheme = 'posix_local'/prefix_scheme = 'posix_prefix'/" "$lib/sysconfig.py"
cp "$(dirname "$0")/sitecustomize.py" "$lib/"
chown 0:0 "$lib/sitecustomize.py"

# The libraries that Python needs stay when Debian's Python goes.
in_root sh -c 'dpkg-query -W -f "\${Package} \${db:Status-Abbrev}\n" | awk "/ ii/ && \$1 ~ /^(lib|media-types|ca-certificates|openssl|tzdata|netbase)/ && \$1 !~ /^lib(python|perl|file-find|number-compare|text-glob)/ {print \$1}" | xargs apt-mark manual' >/dev/null
in_root sh -c 'dpkg-query -W -f "\${Package}\n" | grep -E "^(python3|libpython3|perl-modules|libperl5|perl\$)" | xargs apt-get -qq -y --allow-remove-essential purge' >/dev/null
in_root apt-get -qq -y --purge autoremove >/dev/null
rm -rf "$root/usr/lib/python3.11" "$root/usr/lib/python3" "$root/usr/bin/python3.11"
# Debian's ensurepip, for `python -m venv`, looks for its wheels here.
mkdir -p "$root/usr/share/python-wheels"
cp "$out"/python-wheels/pip-*.whl "$out"/python-wheels/setuptools-*.whl "$root/usr/share/python-wheels/"

in_root python -c 'import bz2, ctypes, curses, hashlib, lzma, readline, sqlite3, ssl, sys, uuid, zlib; assert sys.prefix == "/usr/local"'
in_root sh -c 'set -- /out/python-wheels/pip-*.whl; python "$1/pip" install -q --root-user-action=ignore --no-index --no-compile --find-links /out/python-wheels pip setuptools'
in_root python -c 'import platform; print(platform.python_version())' >"$out/python-version"

# --- uv from its wheel
cp "$CA_BUNDLE" "$out/ca.crt"
in_root SSL_CERT_FILE=/out/ca.crt PIP_CERT=/out/ca.crt REQUESTS_CA_BUNDLE=/out/ca.crt CURL_CA_BUNDLE=/out/ca.crt pip install -q --root-user-action=ignore --no-cache-dir --no-deps --prefix /out/uv "uv==$UV_VERSION"

# --- the setuptools of Docker's own image of this Python; older ones are too old for what needs it.
in_root SSL_CERT_FILE=/out/ca.crt PIP_CERT=/out/ca.crt REQUESTS_CA_BUNDLE=/out/ca.crt CURL_CA_BUNDLE=/out/ca.crt pip install -q --root-user-action=ignore --no-cache-dir --no-compile setuptools==79.0.1
# Docker's images of older Pythons say so, too.
in_root python -c 'from importlib.metadata import version; print("PYTHON_PIP_VERSION=" + version("pip")); print("PYTHON_SETUPTOOLS_VERSION=" + version("setuptools"))' >"$out/python-env"

# --- smaller: documents, caches, logs. Compiled ahead, so that no later RUN writes it into a layer of its own.
in_root python -m compileall -q -j1 --invalidation-mode unchecked-hash /usr/local/lib/python3.11 >/dev/null
rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/info" "$root/usr/share/locale" "$root/usr/share/lintian" "$root/usr/share/bash-completion"
rm -f "$root"/var/log/*.log "$root"/var/log/apt/* "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root/var/cache/ldconfig/aux-cache"
# The machine's certificates come in another way (see base-image.ts).
rm -f "$root/etc/ssl/certs/ca-certificates.crt" "$root/etc/pip.conf"
