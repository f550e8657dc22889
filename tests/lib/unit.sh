#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a unit test. cmocka 1.1.5 prints a skipped test as "not ok N # SKIP name", which TAP takes as a failure.
exec 3>&1
status=$({ { "$@" 3>&- 4>&-; echo $? >&4; } | sed 's/^not ok \([0-9]* # SKIP\)/ok \1/' >&3; } 4>&1)
exit "$status"
