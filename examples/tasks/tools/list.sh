#!/bin/sh
# All words of a folder, sorted, each once; lines that begin with # are remarks.
cat "$1"/*.txt | sed '/^#/d' | sort -u
