# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For scenarios that run inside Dom-0: how they come there, and what they say comes back. pods.sh takes a
# whole scenario there; one with something to do on the host, too, calls these two itself. Sourced after
# lib.sh.

inside=/root/lab

# scenario_send: this scenario and what it needs, into Dom-0.
scenario_send() {
	# shellcheck disable=SC2154 # lib.sh's
	tar -C "$lab_dir" -cf - lib.sh parts.sh pods.sh inside.sh net.sh fleet.sh packages.sh leftovers.py \
		tools/{killer,typist,truth,locks}.py tools/probe.sh "scenarios/${0##*/}" -C "$top/docs" INSTALL.md |
		lab_in "rm -rf $inside && mkdir $inside && tar -xmf - -C $inside" || bail "Dom-0 answers"
}

# scenario_part [NAME]: runs it there, with PART=NAME; what it has passed and failed counts here.
scenario_part() {
	# shellcheck disable=SC2154 # lib.sh's
	lab_run "cd $inside && PART=${1-} PASSED=$passed FAILED=$failed HUNDRED=${HUNDRED-} SEED=${SEED-} \
		LAB_INSIDE=1 exec bash scenarios/${0##*/}" | tee "$scratch/part" |
		sed -uE '/^(1\.\.[0-9]+|[0-9]+ passed, [0-9]+ failed)$/d'
	if [[ $(tail -n 1 "$scratch/part") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=${BASH_REMATCH[1]}
		failed=${BASH_REMATCH[2]}
	else
		passed=$((passed + $(grep -c '^ok ' "$scratch/part")))
		failed=$((failed + $(grep -c '^not ok ' "$scratch/part")))
		not_ok "what runs in Dom-0 comes to its end${1:+ ($1)}"
	fi
}
