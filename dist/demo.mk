# SPDX-License-Identifier: Apache-2.0
.PHONY: demo
demo: setup ## everything once, for people: builds, boots a real Xen, runs pods on it, kills things
	$(Q)tests/lab/demo.sh
