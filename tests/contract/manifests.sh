#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `run` over the table of manifests and flags: see manifests.py.
exec python3 -B "$(dirname "$0")/manifests.py" manifests_table manifests_volumes manifests_network
