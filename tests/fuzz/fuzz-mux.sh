#!/bin/bash
# Proves: the reader of tcpmux's names takes its line and nothing else, whatever the bytes and their pieces (tests/fuzz/fuzz-mux.c).
# SPDX-License-Identifier: ISC

exec "${USHERD_BUILD:-.}/tests/fuzz/fuzz-mux"
