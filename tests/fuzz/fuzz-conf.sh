#!/bin/bash
# Proves: no mutation of a configuration crashes or leaks, and each dump reads back equal (tests/fuzz/fuzz-conf.c).
# SPDX-License-Identifier: ISC

exec "${USHERD_BUILD:-.}/tests/fuzz/fuzz-conf"
