#!/bin/sh
# Copies what runs, and nothing that only builds, from a built checkout into an image's root: collect.sh CHECKOUT ROOT
set -eu
from=$1
to=$2/usr/lib/stoplog

mkdir -p "$to" "$2/usr/bin" "$2/etc/stoplog"
cp -a "$from/bin" "$from/dist" "$from/filters" "$from/package.json" "$from/LICENSE" "$to/"
# Samples are for the tests.
find "$to/filters" -name samples.log -delete
cp -a "$from/node_modules" "$to/"
ln -s ../lib/stoplog/bin/stoplog "$2/usr/bin/stoplog"
