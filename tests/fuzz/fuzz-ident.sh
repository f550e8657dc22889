#!/bin/bash
# Proves: no answer of an ident server crashes who reads it, and what is taken of it is short and printable.
# SPDX-License-Identifier: ISC

exec "${USHERD_BUILD:-.}/tests/fuzz/fuzz-ident"
