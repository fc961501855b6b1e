#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every message that the code can print is explained in docs/TROUBLESHOOTING.md or the page behind it, and
# nothing is explained that no code prints. The last line is `N passed, N failed`.
set -eu

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
exec /usr/bin/python3 "$top/tests/fast/troubleshooting.py" "$top"
