/* SPDX-License-Identifier: ISC */
/*
 * A program without a C library, where that is possible. The library of a program that starts asks the processor dozens
 * of times what it is, and on a virtual machine each answer is the host's and takes some µs: together ten times as long
 * as the exec that a bench of super-servers is to measure.
 */
#pragma once

#if (defined(__x86_64__) && !defined(__ILP32__)) || defined(__aarch64__)
#define BARE 1
#else
#define BARE 0
#endif

#if BARE
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	mov (%rsp), %rdi\n"
	"	lea 8(%rsp), %rsi\n"
	"	and $-16, %rsp\n"
	"	call main\n"
	"	mov %eax, %edi\n"
	"	mov $231, %eax\n" /* exit_group */
	"	syscall\n");

static inline long bare_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#else
__asm__(".globl _start\n"
	"_start:\n"
	"	ldr x0, [sp]\n"
	"	add x1, sp, #8\n"
	"	bl main\n"
	"	mov x8, #94\n" /* exit_group */
	"	svc #0\n");

static inline long bare_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif

#define CALL(number, a, b, c, d, e, f) \
	bare_call((long)(number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#else
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(number, a, b, c, d, e, f) syscall(number, a, b, c, d, e, f)
#endif
