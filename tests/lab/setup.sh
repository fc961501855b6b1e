#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What every scenario finds on its fresh machine: xenpod as `make install` installs it, its
# supervisor under systemd, the test images and the observer. run.sh calls it once, with XENLAB_NAME.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
exec bash "$here/deploy.sh" "$(realpath "$here/../..")/build/lab/stage-${XENLAB_NAME:-main}"
